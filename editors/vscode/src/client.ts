/** The language server while it runs: started, watched, stopped, in step with settings and trust. */
import { homedir } from "node:os";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  RevealOutputChannelOn,
  ShowMessageNotification,
  State,
  type ErrorHandler,
  type Middleware,
} from "vscode-languageclient/node";
import { showMessage } from "./messages";
import type { ClientState, ServerStatus } from "./state";

/** The schemes of the documents that the server is told of. */
export const DOCUMENTS = ["file", "untitled", "vscode-notebook-cell"];

const MOST_CRASHES = 3;
const CRASHES_WITHIN_MS = 3 * 60_000;

/** What goes between VS Code and the server; it is asked for before the client is there. */
export type Between = (client: () => LanguageClient) => Middleware;

export class Server {
  private client: LanguageClient | undefined;
  // Starts and stops wait for each other: a setting may change while the server is still starting.
  private pending: Promise<void> = Promise.resolve();
  // A restart that has not started anything yet is the same for all who want one by then.
  private upcoming: Promise<void> | undefined;
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  state: ClientState = { kind: "starting" };
  status: ServerStatus | undefined;

  constructor(
    /** The program to start; fails with why there is none. */
    private readonly find: () => Promise<string>,
    private readonly between: Between,
    /** What a failure to find the program means for the state. */
    private readonly notFound: (error: unknown) => ClientState,
    private readonly output: vscode.LogOutputChannel,
  ) {}

  get running(): LanguageClient | undefined {
    return this.client?.isRunning() ? this.client : undefined;
  }

  restart(): Promise<void> {
    this.upcoming ??= this.pending = this.pending
      .then(() => this.stopped())
      .then(() => {
        this.upcoming = undefined;
        return this.started();
      });
    return this.upcoming;
  }

  stop(): Promise<void> {
    return (this.pending = this.pending.then(() => this.stopped()));
  }

  /** Have the server look again for models that were missing. */
  async lookAgain(): Promise<void> {
    await this.running?.sendRequest(ExecuteCommandRequest.type, { command: "shardlight.status", arguments: [] });
  }

  private become(state: ClientState): void {
    this.state = state;
    if (state.kind !== "running") this.status = undefined;
    void vscode.commands.executeCommand("setContext", "shardlight.running", state.kind === "running");
    this.changed.fire();
  }

  private async started(): Promise<void> {
    this.become({ kind: "starting" });
    let command: string;
    try {
      command = await this.find();
    } catch (error) {
      this.output.error(String(error));
      return this.become(this.notFound(error));
    }
    // Windows looks for a bare name in the working directory first: that must not be the workspace.
    const program = { command, args: ["serve"], options: { cwd: homedir() } };
    const client: LanguageClient = new LanguageClient("shardlight", "Shardlight", program, {
      documentSelector: DOCUMENTS.map((scheme) => ({ scheme })),
      initializationOptions: { trusted: vscode.workspace.isTrusted, status: true },
      outputChannel: this.output,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      errorHandler: this.errorHandler(),
      initializationFailedHandler: (error) => {
        this.output.error(String(error));
        return false;
      },
      middleware: this.between(() => client),
    });
    this.client = client;
    client.onNotification(ShowMessageNotification.type, showMessage);
    client.onNotification("shardlight/status", (status: ServerStatus) => {
      this.status = status;
      this.changed.fire();
    });
    client.onDidChangeState(({ newState }) => {
      if (this.client !== client) return;
      if (newState === State.Running) this.become({ kind: "running" });
      else if (newState === State.Starting) this.become({ kind: "starting" });
    });
    await client.start().catch((error: unknown) => {
      this.output.error(String(error));
      if (this.state.kind === "starting") {
        this.become({ kind: "failed", reason: `The language server did not start: ${(error as Error).message}` });
      }
    });
  }

  private async stopped(): Promise<void> {
    const stopping = this.client;
    this.client = undefined;
    // Only what runs can be stopped: a client that is starting is waited for, and one that failed needs nothing.
    if (stopping?.needsStop()) {
      await stopping.start().catch(() => undefined);
      if (stopping.isRunning()) await stopping.dispose().catch((error: unknown) => this.output.warn(String(error)));
    }
    this.become({ kind: "stopped" });
  }

  /** A server that ends is started again, but not for ever. */
  private errorHandler(): ErrorHandler {
    let crashes: number[] = [];
    return {
      error: () => ({ action: ErrorAction.Continue }),
      closed: () => {
        const now = Date.now();
        crashes = [...crashes.filter((then) => now - then < CRASHES_WITHIN_MS), now];
        // One that ends while it starts would only do so again.
        if (this.state.kind === "running" && crashes.length <= MOST_CRASHES) {
          this.output.warn("The language server ended unexpectedly; it is started again.");
          return { action: CloseAction.Restart, handled: true };
        }
        const how =
          this.state.kind === "running" ? `${crashes.length} times in three minutes` : "while it was starting";
        const reason = `The language server ended ${how}. The log may say why.`;
        this.output.error(reason);
        this.become({ kind: "failed", reason });
        return { action: CloseAction.DoNotRestart, handled: true };
      },
    };
  }
}
