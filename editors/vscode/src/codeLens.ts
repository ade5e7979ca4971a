/** "Document · Test · Explain" above functions, for those who switch it on. */
import * as vscode from "vscode";

const SETTING = "shardlight.codeLens.enabled";
const KINDS = new Set([vscode.SymbolKind.Function, vscode.SymbolKind.Method, vscode.SymbolKind.Constructor]);
const ACTIONS = [
  ["Document", "shardlight.docstring"],
  ["Test", "shardlight.unitTests"],
  ["Explain", "shardlight.explain"],
] as const;

export class FunctionLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;
  private readonly subscriptions: vscode.Disposable[];

  constructor(private readonly serving: () => boolean) {
    this.subscriptions = [
      vscode.languages.registerCodeLensProvider({ scheme: "file" }, this),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(SETTING)) this.refresh();
      }),
      // Another extension may know the symbols now.
      vscode.extensions.onDidChange(() => this.refresh()),
    ];
  }

  refresh(): void {
    this.changed.fire();
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    if (!this.serving() || !vscode.workspace.getConfiguration().get(SETTING, false)) return [];
    const command = "vscode.executeDocumentSymbolProvider";
    // Those who know no hierarchy answer with plain places, from which a function's name cannot be told.
    const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[] | undefined>(command, document.uri);
    return [...named(symbols ?? [])].flatMap(({ selectionRange: { start } }) => {
      const argument = { uri: document.uri.toString(), position: { line: start.line, character: start.character } };
      return ACTIONS.map(
        ([title, name]) =>
          new vscode.CodeLens(new vscode.Range(start, start), { title, command: name, arguments: [argument] }),
      );
    });
  }

  dispose(): void {
    for (const one of this.subscriptions) one.dispose();
  }
}

/** The functions that a reader would look for; what a function keeps to itself is left out. */
function* named(symbols: readonly vscode.DocumentSymbol[]): Generator<vscode.DocumentSymbol> {
  for (const symbol of symbols) {
    if (!("selectionRange" in symbol)) continue;
    // TypeScript calls a callback by what it is given to: "forEach() callback".
    if (KINDS.has(symbol.kind) && !/ callback$/.test(symbol.name)) yield symbol;
    else yield* named(symbol.children);
  }
}
