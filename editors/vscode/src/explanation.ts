/** Shows an explanation beside the code. */
import * as vscode from "vscode";

/**
 * One panel, whose content is replaced by the next explanation.
 *
 * It is not VS Code's Markdown preview, because that loads pictures from the network: text in the code could then make
 * the model write an address that carries code away. This panel loads nothing and runs nothing.
 */
export class ExplanationPanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;

  async show(markdown: string): Promise<void> {
    const body = await vscode.commands.executeCommand<string>("markdown.api.render", markdown);
    this.panel ??= this.open();
    this.panel.webview.html = `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'">
</head>
<body>${body}</body>
</html>`;
    this.panel.reveal(undefined, true);
  }

  dispose(): void {
    this.panel?.dispose();
  }

  private open(): vscode.WebviewPanel {
    const where = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const panel = vscode.window.createWebviewPanel("shardlight.explanation", "Explanation", where);
    panel.onDidDispose(() => (this.panel = undefined));
    return panel;
  }
}
