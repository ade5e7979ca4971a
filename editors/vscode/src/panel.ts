/** Shows Markdown beside the code. */
import * as vscode from "vscode";

/**
 * One panel, whose content is replaced by what comes next.
 *
 * It is not VS Code's Markdown preview, because that loads pictures from the network: text in the code could then make
 * the model write an address that carries code away. This panel loads nothing and runs nothing.
 */
export class MarkdownPanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;

  constructor(
    private readonly viewType: string,
    private readonly title: string,
    /** The commands that links in it may run. */
    private readonly commands: readonly string[] = [],
  ) {}

  async show(markdown: string): Promise<void> {
    const body = await vscode.commands.executeCommand<string>("markdown.api.render", markdown);
    this.panel ??= this.open();
    this.panel.webview.html = `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'">
<style>
body { max-width: 60em; padding: 0 1.5em 1.5em; line-height: 1.5; }
h1, h2, h3 { font-weight: 600; line-height: 1.25; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .3em .8em; border-bottom: 1px solid var(--vscode-widget-border, rgba(128, 128, 128, .35)); text-align: left; }
td + td { white-space: nowrap; }
pre { padding: .8em; overflow-x: auto; background: var(--vscode-textCodeBlock-background); }
</style>
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
    const panel = vscode.window.createWebviewPanel(this.viewType, this.title, where, {
      enableCommandUris: this.commands,
      localResourceRoots: [],
    });
    panel.onDidDispose(() => (this.panel = undefined));
    return panel;
  }
}
