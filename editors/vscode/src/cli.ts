/** What the command line of the server can tell. */
import type * as vscode from "vscode";
import { run, type Run } from "./program";

/** A model, as `shardlight models list --json` has it. */
export interface Model {
  name: string;
  title: string;
  roles: string[];
  size_bytes: number | null;
  licence: string | null;
  commercial_use: boolean | null;
  installed: boolean;
}

/** As `shardlight plan --json` has it; as much as is shown. */
export interface Plan {
  model: string;
  hardware: string;
  verdict: string;
  exact: boolean;
  devices: {
    name: string;
    description: string;
    weights_bytes: number;
    kv_bytes: number;
    compute_bytes: number;
    budget_bytes: number;
    total_bytes: number;
  }[];
  settings: { n_ctx: number; n_threads: number; n_gpu_layers: number };
  predicted: { decode_tokens_per_s: number | null; prefill_tokens_per_s: number | null };
  reasons: string[];
  suggestions: string[];
}

/** How far a download is, as `shardlight models pull --json` says it. */
export interface Transfer {
  state: "downloading" | "verifying" | "ready";
  /** null while the size is not known. */
  percent?: number | null;
  /** In figures, for people. */
  message?: string;
}

export type Role = "completion" | "assistant";

export class CommandLine {
  constructor(
    /** The server's program, if there is one. */
    private readonly program: () => string | undefined,
    /** The settings made in the editor, which win over the user's environment in the server, too. */
    private readonly environment: () => Record<string, string>,
  ) {}

  async models(): Promise<Model[]> {
    return JSON.parse(await this.run(["models", "list", "--json"])) as Model[];
  }

  /** Of a model, or of the one that is meant for the role. */
  async plan(model: string, role: Role, token: vscode.CancellationToken): Promise<Plan> {
    return JSON.parse(await this.run(["plan", model, "--role", role, "--json"], { token })) as Plan;
  }

  /** Download a model, or go on with it. */
  async pull(model: string, onTransfer: (one: Transfer) => void, token: vscode.CancellationToken): Promise<void> {
    const onOutput = (line: string) => onTransfer(JSON.parse(line) as Transfer);
    await this.run(["models", "pull", model, "--json"], { onOutput, token });
  }

  private async run(args: string[], options: Run = {}): Promise<string> {
    const program = this.program();
    if (!program) throw new Error("the language server is not installed.");
    return run(program, args, { ...options, env: this.environment() });
  }
}
