/** Shows an explanation, whose links lead to lines of the code. */
import * as vscode from "vscode";
import { MarkdownPanel } from "./panel";

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

export class ExplanationPanel implements vscode.Disposable {
  private readonly panel = new MarkdownPanel("shardlight.explanation", "Explanation", [REVEAL]);
  private readonly command = vscode.commands.registerCommand(REVEAL, reveal);

  async show(markdown: string): Promise<void> {
    await this.panel.show(withCommands(markdown));
  }

  dispose(): void {
    this.command.dispose();
    this.panel.dispose();
  }
}
