/** The status bar item. */
import * as vscode from "vscode";
import type { Server } from "./client";
import type { Pausing } from "./pausing";
import { shown } from "./state";

const COLOURS = {
  error: new vscode.ThemeColor("statusBarItem.errorBackground"),
  warning: new vscode.ThemeColor("statusBarItem.warningBackground"),
};

const RESTRICTED = "Restricted mode: nothing of this workspace is run.";

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("status", vscode.StatusBarAlignment.Right, 100);
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly server: Server,
    private readonly pausing: Pausing,
  ) {
    this.item.name = "Shardlight";
    this.item.command = "shardlight.menu";
    this.subscriptions = [
      server.onDidChange(() => this.update()),
      pausing.onDidChange(() => this.update()),
      vscode.window.onDidChangeActiveTextEditor(() => this.update()),
    ];
    this.update();
    this.item.show();
  }

  private update(): void {
    const language = vscode.window.activeTextEditor?.document.languageId;
    const paused = {
      everywhere: this.pausing.everywhere,
      language: language && this.pausing.pauses(language) ? language : undefined,
    };
    const { text, tooltip: about, severity } = shown(this.server.state, this.server.status, paused);
    const tooltip = vscode.workspace.isTrusted ? about : `${about}\n\n${RESTRICTED}`;
    this.item.text = text;
    this.item.tooltip = new vscode.MarkdownString(tooltip);
    this.item.backgroundColor = severity && COLOURS[severity];
    this.item.accessibilityInformation = { label: `${text.replace(/\$\([^)]*\)\s*/, "")}. ${tooltip}`, role: "button" };
  }

  dispose(): void {
    this.item.dispose();
    for (const one of this.subscriptions) one.dispose();
  }
}
