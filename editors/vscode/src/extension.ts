/** Starts the language server and keeps it in step with the settings and the workspace's trust. */
import * as vscode from "vscode";
import { LanguageClient, RevealOutputChannelOn } from "vscode-languageclient/node";
import { executeCommand, resolveCodeAction } from "./actions";
import { ExplanationPanel } from "./explanation";
import { findServer } from "./server";
import { ownSettings } from "./settings";

let client: LanguageClient | undefined;
// Starts and stops wait for each other: a setting may change while the server is still starting.
let pending: Promise<void> = Promise.resolve();

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("Shardlight", { log: true });
  const explanations = new ExplanationPanel();
  const restart = () => (pending = pending.then(stop).then(() => start(context, output, explanations)));
  context.subscriptions.push(
    output,
    explanations,
    vscode.commands.registerCommand("shardlight.restart", restart),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("shardlight.server.path")) void restart();
    }),
  );
  await restart();
}

export function deactivate(): Promise<void> {
  return (pending = pending.then(stop));
}

async function start(
  context: vscode.ExtensionContext,
  output: vscode.LogOutputChannel,
  explanations: ExplanationPanel,
): Promise<void> {
  const server = await findServer(output);
  if (!server) return;
  const starting: LanguageClient = new LanguageClient("shardlight", "Shardlight", server, {
    documentSelector: [{ scheme: "file" }],
    initializationOptions: { trusted: vscode.workspace.isTrusted },
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    middleware: {
      executeCommand: (command, args) => executeCommand(starting, output, explanations, command, args),
      resolveCodeAction: (action, token) => resolveCodeAction(starting, action, token),
      workspace: {
        configuration: ({ items }) =>
          items.map((item) => (item.section === "shardlight" ? ownSettings(context.extension.packageJSON) : null)),
      },
    },
  });
  client = starting;
  // The client library tells a failure by itself; a rejection would only tell it again, less clearly.
  await starting.start().catch((error: unknown) => output.error(String(error)));
}

async function stop(): Promise<void> {
  const stopping = client;
  client = undefined;
  // A client that did not come up cannot be stopped.
  if (stopping?.isRunning()) await stopping.dispose();
}
