/** The server's commands and code actions: the cursor goes in, what comes out is shown, and so is why nothing did. */
import * as vscode from "vscode";
import { CodeActionResolveRequest, ExecuteCommandRequest, type LanguageClient } from "vscode-languageclient/node";
import { DOCUMENTS } from "./client";
import { previewing, wasDiscarded } from "./confirming";
import type { ExplanationPanel } from "./explanation";
import { showError } from "./messages";
import type { MarkdownPanel } from "./panel";
import { statisticsMarkdown, statusMarkdown, type Statistics, type StatusReport } from "./reports";

// Both functions send their requests themselves, since the client library's own way keeps the server's reasons, which
// are written for users, from them.

const PORTED_LANGUAGES = [
  "Python",
  "JavaScript",
  "TypeScript",
  "Go",
  "Rust",
  "Java",
  "C",
  "C++",
  "C#",
  "Ruby",
  "PHP",
  "Shell",
  "Lua",
  "Kotlin",
];

// Commands that are not about a place in a file.
const PLACELESS = new Set(["shardlight.status", "shardlight.statistics"]);

/** Where answers are shown. */
export interface Outlets {
  explanations: ExplanationPanel;
  reports: MarkdownPanel;
}

/** Run a command of the server. Code actions and lenses bring their argument along, the palette brings none. */
export async function executeCommand(
  client: LanguageClient,
  outlets: Outlets,
  command: string,
  given: unknown[],
): Promise<unknown> {
  // From a context menu VS Code hands over the document, which the cursor is in anyway.
  const args = given[0] instanceof vscode.Uri ? [] : given;
  const wanted = args.length > 0 || PLACELESS.has(command) ? args : await fromCursor(client, command);
  if (!wanted) return undefined;
  try {
    const result: unknown = await client.sendRequest(ExecuteCommandRequest.type, { command, arguments: wanted });
    await show(client, outlets, command, result);
    return result;
  } catch (error) {
    if (!wasDiscarded(error)) showError(error);
    return undefined;
  }
}

/** The argument of a command that was chosen without one; undefined if the user does not want it after all. */
async function fromCursor(client: LanguageClient, command: string): Promise<unknown[] | undefined> {
  if (command === "shardlight.debug") return [{ text: await said() }];
  const wanted = cursor(client);
  if (!wanted) {
    void vscode.window.showInformationMessage("Shardlight: put the cursor into a function of a file first.");
    return undefined;
  }
  if (command === "shardlight.edit") {
    const instruction = await vscode.window.showInputBox({
      title: "Shardlight: change the selected code, or the function at the cursor",
      placeHolder: "What is to be changed?",
    });
    return instruction ? [{ ...wanted, instruction }] : undefined;
  }
  if (command === "shardlight.port") {
    const language = await vscode.window.showQuickPick(PORTED_LANGUAGES, {
      title: "Shardlight: write the selected code, or the function at the cursor, in another language",
    });
    return language ? [{ ...wanted, language }] : undefined;
  }
  return [wanted];
}

async function show(client: LanguageClient, outlets: Outlets, command: string, result: unknown): Promise<void> {
  switch (command) {
    case "shardlight.explain":
      return outlets.explanations.show((result as { markdown: string }).markdown);
    case "shardlight.debug":
      return offerFix(client, outlets, result as Failure);
    case "shardlight.statistics":
      return outlets.reports.show(statisticsMarkdown(result as Statistics));
    case "shardlight.status":
      return outlets.reports.show(statusMarkdown(result as StatusReport));
  }
}

/** What the server answers to `shardlight.debug`. */
interface Failure {
  markdown: string;
  uri: string;
  range: unknown;
  problem: string;
}

async function offerFix(client: LanguageClient, outlets: Outlets, failure: Failure): Promise<void> {
  const { markdown, ...place } = failure;
  await outlets.explanations.show(markdown);
  // Not awaited: the message may stand there for long.
  void vscode.window.showInformationMessage(`Shardlight: ${failure.problem}`, "Mend it").then((answer) => {
    if (answer) void executeCommand(client, outlets, "shardlight.fix", [place]);
  });
}

/** The selected text, of an editor; without one what was copied. */
async function said(): Promise<string> {
  const editor = vscode.window.activeTextEditor;
  return editor?.document.getText(editor.selection) || (await vscode.env.clipboard.readText());
}

/** Ask the server for the edit of a chosen code action. */
export async function resolveCodeAction(
  client: LanguageClient,
  action: vscode.CodeAction,
  token: vscode.CancellationToken,
): Promise<vscode.CodeAction> {
  try {
    const wanted = await client.code2ProtocolConverter.asCodeAction(action, token);
    const resolved = await client.sendRequest(CodeActionResolveRequest.type, wanted, token);
    return (await client.protocol2CodeConverter.asCodeAction(previewing(resolved), token)) ?? action;
  } catch (error) {
    if (!token.isCancellationRequested) showError(error);
    return action;
  }
}

function cursor(client: LanguageClient): object | undefined {
  const editor = vscode.window.activeTextEditor;
  if (!editor || !DOCUMENTS.includes(editor.document.uri.scheme)) return undefined;
  const convert = client.code2ProtocolConverter;
  return {
    uri: convert.asUri(editor.document.uri),
    position: convert.asPosition(editor.selection.active),
    range: convert.asRange(editor.selection),
  };
}
