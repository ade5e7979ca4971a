/** The server's commands and code actions: the cursor goes in, what comes out is shown, and so is why nothing did. */
import * as vscode from "vscode";
import { CodeActionResolveRequest, ExecuteCommandRequest, type LanguageClient } from "vscode-languageclient/node";
import type { ExplanationPanel } from "./explanation";

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

/** Run a command of the server. Code actions bring their argument along, the palette brings none. */
export async function executeCommand(
  client: LanguageClient,
  output: vscode.LogOutputChannel,
  explanations: ExplanationPanel,
  command: string,
  args: unknown[],
): Promise<unknown> {
  const wanted =
    args.length > 0 || command === "shardlight.status"
      ? args
      : command === "shardlight.debug"
        ? [{ text: await said() }]
        : cursor(client);
  if (!wanted) {
    void vscode.window.showInformationMessage("Shardlight: put the cursor into a function of a file first.");
    return undefined;
  }
  if (command === "shardlight.edit" && args.length === 0) {
    const instruction = await vscode.window.showInputBox({
      title: "Shardlight: change the selected code, or the function at the cursor",
      placeHolder: "What is to be changed?",
    });
    if (!instruction) return undefined;
    Object.assign(wanted[0] as object, { instruction });
  }
  if (command === "shardlight.port" && args.length === 0) {
    const language = await vscode.window.showQuickPick(PORTED_LANGUAGES, {
      title: "Shardlight: write the selected code, or the function at the cursor, in another language",
    });
    if (!language) return undefined;
    Object.assign(wanted[0] as object, { language });
  }
  try {
    const result: unknown = await client.sendRequest(ExecuteCommandRequest.type, { command, arguments: wanted });
    if (command === "shardlight.explain") await explanations.show((result as { markdown: string }).markdown);
    if (command === "shardlight.debug") await offerFix(client, output, explanations, result as Failure);
    if (command === "shardlight.status") {
      output.info(JSON.stringify(result, null, 2));
      output.show();
    }
    return result;
  } catch (error) {
    tell(error);
    return undefined;
  }
}

/** What the server answers to `shardlight.debug`. */
interface Failure {
  markdown: string;
  uri: string;
  range: unknown;
  problem: string;
}

async function offerFix(
  client: LanguageClient,
  output: vscode.LogOutputChannel,
  explanations: ExplanationPanel,
  failure: Failure,
): Promise<void> {
  const { markdown, ...place } = failure;
  await explanations.show(markdown);
  // Not awaited: the message may stand there for long.
  void vscode.window.showInformationMessage(`Shardlight: ${failure.problem}`, "Mend it").then((answer) => {
    if (answer) void executeCommand(client, output, explanations, "shardlight.fix", [place]);
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
    return (await client.protocol2CodeConverter.asCodeAction(resolved, token)) ?? action;
  } catch (error) {
    if (!token.isCancellationRequested) tell(error);
    return action;
  }
}

function cursor(client: LanguageClient): unknown[] | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.uri.scheme !== "file") return undefined;
  const convert = client.code2ProtocolConverter;
  return [
    {
      uri: convert.asUri(editor.document.uri),
      position: convert.asPosition(editor.selection.active),
      range: convert.asRange(editor.selection),
    },
  ];
}

function tell(error: unknown): void {
  void vscode.window.showErrorMessage(`Shardlight: ${error instanceof Error ? error.message : String(error)}`);
}
