/** What the server is at: the client library shows it, and this makes it possible to end it. */
import type { LanguageClient, Middleware } from "vscode-languageclient/node";

export interface Work {
  title: string;
  cancel: () => void;
}

type ProgressHandler = NonNullable<Middleware["handleWorkDoneProgress"]>;

export class WorkInProgress {
  private readonly works = new Map<string | number, Work>();

  /** What can be cancelled, the latest last. */
  get list(): Work[] {
    return [...this.works.values()];
  }

  /** For the middleware: notes what begins and ends. */
  watching(client: () => LanguageClient): ProgressHandler {
    return (token, params, next) => {
      if (params.kind === "begin" && params.cancellable) {
        const cancel = () => void client().sendNotification("window/workDoneProgress/cancel", { token });
        this.works.set(token, { title: params.title, cancel });
      }
      if (params.kind === "end") this.works.delete(token);
      next(token, params);
    };
  }

  /** The server is gone, and with it what it was at. */
  clear(): void {
    this.works.clear();
  }
}
