/** Shows a change beside what is there, and applies it if the user says so. */
import * as vscode from "vscode";

// VS Code's own preview of a change that wants to be confirmed comes with nothing ticked: its "Apply" then applies
// nothing. One change of one function needs no boxes, but to be seen.

const SCHEME = "shardlight-preview";
const SHOWN = "shardlight.previewing";
const APPLY = "Apply";
const DISCARD = "Discard";

export class Previews implements vscode.Disposable, vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly subscriptions: vscode.Disposable[];
  /** Ends the preview that is shown. */
  private decide: ((apply: boolean) => void) | undefined;
  private shown: string | undefined;
  /** There is one at a time: the next waits until the one before is put away. */
  private last: Promise<unknown> = Promise.resolve();
  private count = 0;

  constructor() {
    this.subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.commands.registerCommand("shardlight.preview.apply", () => this.decide?.(true)),
      vscode.commands.registerCommand("shardlight.preview.discard", () => this.decide?.(false)),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        if (closed.some((tab) => this.shown !== undefined && previewed(tab) === this.shown)) this.decide?.(false);
      }),
    ];
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  /** Whether the user wants the change; a preview that is still there is given up. */
  confirm(title: string, uri: vscode.Uri, edits: readonly vscode.TextEdit[]): Promise<boolean> {
    this.decide?.(false);
    const answer = this.last.then(() => this.ask(title, uri, edits));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  dispose(): void {
    this.decide?.(false);
    for (const one of this.subscriptions) one.dispose();
  }

  private async ask(title: string, uri: vscode.Uri, edits: readonly vscode.TextEdit[]): Promise<boolean> {
    const editor = vscode.window.activeTextEditor;
    const document = await vscode.workspace.openTextDocument(uri);
    const { version } = document;
    const to = uri.with({ scheme: SCHEME, query: String(++this.count) });
    this.texts.set(to.toString(), edited(document, edits));
    const answer = new Promise<boolean>((resolve) => (this.decide = resolve));
    const decide = this.decide;
    this.shown = to.toString();
    await vscode.commands.executeCommand("setContext", SHOWN, true);
    await vscode.commands.executeCommand("vscode.diff", uri, to, `Preview: ${title}`);
    // Not awaited: the buttons above the editor do the same.
    void vscode.window
      .showInformationMessage(`Shardlight: ${title}. Apply this change?`, APPLY, DISCARD)
      .then((said) => {
        if (said) decide?.(said === APPLY);
      });
    const wanted = await answer;
    this.decide = this.shown = undefined;
    await this.close(to);
    // VS Code mostly goes back by itself; to show it again would take the focus from what the user does by now.
    if (editor && vscode.window.activeTextEditor?.document !== editor.document) {
      await vscode.window.showTextDocument(editor.document, { viewColumn: editor.viewColumn ?? vscode.ViewColumn.One });
    }
    if (wanted && document.version !== version) {
      void vscode.window.showWarningMessage(
        "Shardlight: the file has changed meanwhile, so the change was not applied.",
      );
      return false;
    }
    return wanted;
  }

  private async close(uri: vscode.Uri): Promise<void> {
    this.texts.delete(uri.toString());
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    await vscode.window.tabGroups.close(tabs.filter((tab) => previewed(tab) === uri.toString()));
    // The question may still stand there, if it was answered above the editor.
    await vscode.commands.executeCommand("notifications.hideToasts");
    await vscode.commands.executeCommand("setContext", SHOWN, false);
  }
}

/** The preview that a tab shows. */
function previewed({ input }: vscode.Tab): string | undefined {
  const ours = input instanceof vscode.TabInputTextDiff && input.modified.scheme === SCHEME;
  return ours ? input.modified.toString() : undefined;
}

function edited(document: vscode.TextDocument, edits: readonly vscode.TextEdit[]): string {
  let text = document.getText();
  const later = [...edits].sort((a, b) => b.range.start.compareTo(a.range.start));
  for (const { range, newText } of later) {
    text = text.slice(0, document.offsetAt(range.start)) + newText + text.slice(document.offsetAt(range.end));
  }
  return text;
}
