/** Which program is the language server. */
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import * as vscode from "vscode";
import { privateServer } from "./installing";
import { ProgramError, run } from "./program";
import { inActiveEnvironment } from "./python";

export const PATH_SETTING = "shardlight.server.path";
const PROGRAM = "shardlight";
// The first start after an installation compiles a lot of Python.
const LONGEST_START_MS = 60_000;

/** Why there is no server to start. */
export class NoServer extends Error {
  constructor(
    message: string,
    /** Nothing is there, and nobody said where it should be: it can be installed. */
    readonly installable: boolean,
  ) {
    super(message);
  }
}

/** The program that the settings name; empty if they name none. */
export function chosenProgram(): string {
  return vscode.workspace.getConfiguration().get<string>(PATH_SETTING, "").trim();
}

/** The program to start; fails with NoServer. */
export async function findServer(context: vscode.ExtensionContext, output: vscode.LogOutputChannel): Promise<string> {
  const chosen = chosenProgram();
  if (chosen) {
    // Somebody who names a program means that one and no other.
    try {
      return await answering(chosen, output);
    } catch (error) {
      const missing = error instanceof ProgramError && error.missing;
      const what = missing ? "was not found" : `does not start: ${(error as Error).message}`;
      throw new NoServer(`The language server "${chosen}" (${PATH_SETTING}) ${what}.`, false);
    }
  }
  const failures: string[] = [];
  for (const place of [() => inActiveEnvironment(PROGRAM), () => PROGRAM, () => privateServer(context)]) {
    const candidate = await place();
    if (!candidate || (isAbsolute(candidate) && !existsSync(candidate))) continue;
    try {
      return await answering(candidate, output);
    } catch (error) {
      if (!(error instanceof ProgramError) || !error.missing)
        failures.push(`${candidate}: ${(error as Error).message}`);
    }
  }
  if (failures.length > 0) throw new NoServer(`The language server does not start. ${failures.join(" ")}`, true);
  throw new NoServer(
    "The language server, a Python package, is not installed: it is neither in the active Python environment nor on the PATH.",
    true,
  );
}

/** The candidate, if it is the server and can be run. */
async function answering(candidate: string, output: vscode.LogOutputChannel): Promise<string> {
  const version = (await run(candidate, ["--version"], { timeout: LONGEST_START_MS })).trim();
  // Any other program of that name would be fed the workspace's text.
  if (!version.startsWith(PROGRAM)) throw new ProgramError(`it says it is "${version.slice(0, 80)}".`, false);
  output.info(`${version} (${candidate})`);
  return candidate;
}
