/** Suggestions can be paused, everywhere or in a language; that is remembered. */
import * as vscode from "vscode";

const EVERYWHERE = "paused";
const LANGUAGES = "pausedLanguages";

export class Pausing {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;

  constructor(private readonly memory: vscode.Memento) {}

  get everywhere(): boolean {
    return this.memory.get(EVERYWHERE, false);
  }

  pauses(language: string): boolean {
    return this.memory.get<string[]>(LANGUAGES, []).includes(language);
  }

  /** Whether nothing is to be asked for in a document of that language. */
  appliesTo(language: string): boolean {
    return this.everywhere || this.pauses(language);
  }

  async toggle(): Promise<void> {
    await this.memory.update(EVERYWHERE, !this.everywhere);
    this.changed.fire();
  }

  async toggleLanguage(language: string): Promise<void> {
    const others = this.memory.get<string[]>(LANGUAGES, []).filter((one) => one !== language);
    await this.memory.update(LANGUAGES, this.pauses(language) ? others : [...others, language]);
    this.changed.fire();
  }
}
