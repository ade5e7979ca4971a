/** Which program is the language server, and whether it can be run. */
import { execFile } from "node:child_process";
import { homedir } from "node:os";
import { promisify } from "node:util";
import * as vscode from "vscode";
import type { Executable } from "vscode-languageclient/node";

const SETTING = "shardlight.server.path";

/** How to start the server; undefined, after telling the user why, if it cannot be started. */
export async function findServer(output: vscode.LogOutputChannel): Promise<Executable | undefined> {
  const command = vscode.workspace.getConfiguration().get<string>(SETTING, "").trim() || "shardlight";
  // Windows looks for a bare name in the working directory first: that must not be the workspace.
  const options = { cwd: homedir() };
  try {
    const { stdout } = await promisify(execFile)(command, ["--version"], options);
    output.info(`${stdout.trim()} (${command})`);
    return { command, args: ["serve"], options };
  } catch (error) {
    output.error(String(error));
    void tell(command, error as NodeJS.ErrnoException & { stderr?: string });
    return undefined;
  }
}

async function tell(command: string, error: NodeJS.ErrnoException & { stderr?: string }): Promise<void> {
  const reason = error.stderr?.trim().split("\n").pop() || error.message;
  const message =
    error.code === "ENOENT"
      ? `Shardlight's language server "${command}" was not found. Install it with "pip install shardlight", ` +
        `or set ${SETTING} to where it is.`
      : `Shardlight's language server "${command}" does not start: ${reason}`;
  const openSettings = "Open Settings";
  if ((await vscode.window.showErrorMessage(message, openSettings)) === openSettings) {
    await vscode.commands.executeCommand("workbench.action.openSettings", SETTING);
  }
}
