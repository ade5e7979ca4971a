/** Puts the parts together. */
import * as vscode from "vscode";
import type { Command, LanguageClient, Middleware, WorkspaceEdit } from "vscode-languageclient/node";
import { executeCommand, resolveCodeAction, type Outlets } from "./actions";
import { CommandLine, type Role } from "./cli";
import { Server } from "./client";
import { FunctionLenses } from "./codeLens";
import { APPLY_COMMAND, applyConfirmed, confirmed } from "./confirming";
import { ExplanationPanel } from "./explanation";
import { chosenProgram, findServer, NoServer, PATH_SETTING } from "./finding";
import { install } from "./installing";
import { openSettings, showMenu } from "./menu";
import { showError } from "./messages";
import { Models } from "./models";
import { MarkdownPanel } from "./panel";
import { Pausing } from "./pausing";
import { Previews } from "./preview";
import { asEnvironment, ownSettings } from "./settings";
import type { ClientState } from "./state";
import { StatusBar } from "./statusBar";
import { WorkInProgress } from "./work";

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const output = vscode.window.createOutputChannel("Shardlight", { log: true });
  const explanations = new ExplanationPanel();
  const reports = new MarkdownPanel("shardlight.report", "Shardlight");
  const outlets: Outlets = { explanations, reports };
  const pausing = new Pausing(context.globalState);
  const previews = new Previews();
  const work = new WorkInProgress();
  const settings = () => ownSettings(context.extension.packageJSON as Parameters<typeof ownSettings>[0]);

  let program: string | undefined;
  // What the settings named when it was looked for.
  let chosen = "";
  const find = async () => {
    program = undefined;
    chosen = chosenProgram();
    return (program = await findServer(context, output));
  };
  const running = new Server(find, between, (error) => notFound(error), output);
  server = running;
  const cli = new CommandLine(
    () => program,
    () => asEnvironment(settings()),
  );
  const models = new Models(cli, reports, output, () => running.lookAgain());
  const lenses = new FunctionLenses(() => running.running !== undefined);

  /** What goes between VS Code and the server. */
  function between(client: () => LanguageClient): Middleware {
    return {
      executeCommand: (command, args) => executeCommand(client(), outlets, command, args),
      resolveCodeAction: (action, token) => resolveCodeAction(client(), action, token),
      handleWorkDoneProgress: work.watching(client),
      provideInlineCompletionItems: (document, position, request, token, next) =>
        pausing.appliesTo(document.languageId) ? null : next(document, position, request, token),
      provideCodeActions: (document, range, request, token, next) => {
        // Where the cursor rests the server reads ahead, once it is told by VS Code's asking on its own.
        const quiet = pausing.appliesTo(document.languageId);
        return next(
          document,
          range,
          quiet ? { ...request, triggerKind: vscode.CodeActionTriggerKind.Invoke } : request,
          token,
        );
      },
      workspace: {
        configuration: ({ items }) => items.map((item) => (item.section === "shardlight" ? settings() : null)),
        handleApplyEdit: async (params, next) => {
          const answer = await confirmed(client(), previews, params);
          return "applied" in answer ? answer : next(answer, new vscode.CancellationTokenSource().token);
        },
      },
    };
  }

  const found = (is: boolean) => vscode.commands.executeCommand("setContext", "shardlight.serverFound", is);
  const said = async (what: () => unknown) => {
    try {
      await what();
    } catch (error) {
      output.error(String(error));
      showError(error);
    }
  };
  const commands: Record<string, (...args: never[]) => unknown> = {
    "shardlight.menu": () => showMenu(running, pausing, work),
    "shardlight.restart": () => running.restart(),
    "shardlight.install": async () => {
      if (await install(context, output)) await running.restart();
    },
    "shardlight.togglePause": () => pausing.toggle(),
    "shardlight.togglePauseLanguage": () => {
      const language = vscode.window.activeTextEditor?.document.languageId;
      return language && pausing.toggleLanguage(language);
    },
    "shardlight.chooseModel": () => models.choose(),
    "shardlight.downloadModel": (name?: string) => models.download(name),
    "shardlight.showPlan": (name?: string, role?: Role) => models.showPlan(name, role),
    "shardlight.showLog": () => output.show(),
    "shardlight.openSettings": () => openSettings(`@ext:${context.extension.id}`),
    "shardlight.walkthrough": async () => {
      // VS Code ticks a step when a key becomes true while it knows the step, and that is only once it is shown.
      await found(false);
      await vscode.commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`, false);
      await found(running.running !== undefined);
    },
    [APPLY_COMMAND]: (edit: WorkspaceEdit, title: string, then?: Command) =>
      running.running && applyConfirmed(running.running, previews, edit, title, then),
  };
  context.subscriptions.push(
    output,
    explanations,
    reports,
    previews,
    lenses,
    new StatusBar(running, pausing),
    running.onDidChange(() => {
      if (!running.running) work.clear();
      void found(running.running !== undefined);
    }),
    pausing.onDidChange(() => {
      // What is shown was asked for before.
      void vscode.commands.executeCommand("editor.action.inlineSuggest.hide");
    }),
    ...Object.entries(commands).map(([name, run]) =>
      vscode.commands.registerCommand(name, (...args: never[]) => said(() => run(...args))),
    ),
    vscode.workspace.onDidGrantWorkspaceTrust(() => running.restart()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      // With trust a workspace's settings count, too: that is told after the restart has begun.
      if (event.affectsConfiguration(PATH_SETTING) && chosenProgram() !== chosen) void running.restart();
    }),
  );
  // Not awaited: the window is not to wait for a server.
  void running.restart().then(() => lenses.refresh());
}

export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}

/** Tell the user what is missing, and offer to mend it. */
function notFound(error: unknown): ClientState {
  const reason = error instanceof Error ? error.message : String(error);
  const installable = error instanceof NoServer && error.installable;
  const INSTALL = "Install it";
  const SETTINGS = "Open Settings";
  const buttons = installable ? [INSTALL, SETTINGS] : [SETTINGS];
  void vscode.window.showWarningMessage(`Shardlight: ${reason}`, ...buttons).then((said) => {
    if (said === INSTALL) return vscode.commands.executeCommand("shardlight.install");
    return said === SETTINGS ? openSettings("shardlight.server") : undefined;
  });
  return { kind: "absent", reason, installable };
}
