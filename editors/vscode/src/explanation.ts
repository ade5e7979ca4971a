/** Shows an explanation beside the code. */
import * as vscode from "vscode";

const REVEAL = "shardlight.reveal";

/** A panel opens no files, so links to lines become a command of ours; nothing else is one in it. */
function withCommands(markdown: string): string {
  return markdown.replace(/\]\((file:[^)#\s]*)#L(\d+)\)/g, (_link, uri: string, line: string) => {
    const given = encodeURIComponent(JSON.stringify([uri, Number(line)]));
    return `](command:${REVEAL}?${given.replace(/[()]/g, (one) => (one === "(" ? "%28" : "%29"))})`;
  });
}

/** Show a line, counted from 1, of a file beside the explanation. */
async function reveal(uri: string, line: number): Promise<void> {
  const at = new vscode.Position(line - 1, 0);
  await vscode.window.showTextDocument(vscode.Uri.parse(uri, true), {
    viewColumn: vscode.ViewColumn.One,
    selection: new vscode.Range(at, at),
  });
}

/**
 * One panel, whose content is replaced by the next explanation.
 *
 * It is not VS Code's Markdown preview, because that loads pictures from the network: text in the code could then make
 * the model write an address that carries code away. This panel loads nothing and runs nothing.
 */
export class ExplanationPanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;
  private readonly command = vscode.commands.registerCommand(REVEAL, reveal);

  async show(markdown: string): Promise<void> {
    const body = await vscode.commands.executeCommand<string>("markdown.api.render", withCommands(markdown));
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
    this.command.dispose();
    this.panel?.dispose();
  }

  private open(): vscode.WebviewPanel {
    const where = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const panel = vscode.window.createWebviewPanel("shardlight.explanation", "Explanation", where, {
      enableCommandUris: [REVEAL],
    });
    panel.onDidDispose(() => (this.panel = undefined));
    return panel;
  }
}
