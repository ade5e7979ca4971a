/** Runs programs: never through a shell, and never in the workspace. */
import { spawn } from "node:child_process";
import { homedir } from "node:os";
import type * as vscode from "vscode";

export interface Run {
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
  /** Called with each line that is written to the standard output, as it comes. */
  onOutput?: (line: string) => void;
  /** The same, with those of either stream. */
  onLine?: (line: string) => void;
  token?: vscode.CancellationToken;
  /** It is ended after so many milliseconds. */
  timeout?: number;
}

/** A program that could not be started, or that ended with another status than 0. */
export class ProgramError extends Error {
  constructor(
    message: string,
    /** There is no such program. */
    readonly missing: boolean,
  ) {
    super(message);
  }
}

/** The program was stopped because the user wanted that. */
export class Cancelled extends Error {}

/** What the program writes to its standard output. Fails with a ProgramError, or with Cancelled. */
export function run(
  command: string,
  args: readonly string[],
  { env, onOutput, onLine, token, timeout }: Run = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    if (token?.isCancellationRequested) return reject(new Cancelled());
    const child = spawn(command, args, {
      // Windows looks for a bare name in the working directory first: that must not be the workspace.
      cwd: homedir(),
      env: { ...process.env, PYTHONUTF8: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout,
    });
    let output = "";
    let last = "";
    const lines = (take: (text: string) => void, onOne?: (line: string) => void) => {
      let rest = "";
      return (text: string) => {
        take(text);
        const parts = (rest + text).split(/\r\n|\r|\n/);
        rest = parts.pop() ?? "";
        for (const part of parts) {
          if (!part.trim()) continue;
          last = part.trim();
          onOne?.(last);
          onLine?.(last);
        }
      };
    };
    child.stdout.setEncoding("utf8").on(
      "data",
      lines((text) => (output += text), onOutput),
    );
    let errors = "";
    child.stderr.setEncoding("utf8").on(
      "data",
      lines((text) => (errors = (errors + text).slice(-4000))),
    );
    // What can be gone on with later is put in order by Python where it is interrupted, not where it is ended.
    const cancelling = token?.onCancellationRequested(() => child.kill("SIGINT"));
    child.on("error", (error: NodeJS.ErrnoException) => {
      cancelling?.dispose();
      reject(new ProgramError(error.message, error.code === "ENOENT"));
    });
    child.on("close", (status, signal) => {
      cancelling?.dispose();
      if (token?.isCancellationRequested) reject(new Cancelled());
      else if (status === 0) resolve(output);
      else {
        const reason = errors.trim().split("\n").pop() || last || `it ended with ${signal ?? `status ${status}`}`;
        reject(new ProgramError(reason.trim(), false));
      }
    });
  });
}
