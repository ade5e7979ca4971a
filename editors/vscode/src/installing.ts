/** The language server in an environment of the extension's own. */
import { rm, mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as vscode from "vscode";
import { Cancelled, ProgramError, run } from "./program";

const WINDOWS = process.platform === "win32";
const PACKAGE_SETTING = "shardlight.server.package";

function environment(context: vscode.ExtensionContext): string {
  return join(context.globalStorageUri.fsPath, "server");
}

function inside(folder: string, program: string): string {
  return WINDOWS ? join(folder, "Scripts", `${program}.exe`) : join(folder, "bin", program);
}

/** Where the server is once it is installed. */
export function privateServer(context: vscode.ExtensionContext): string {
  return inside(environment(context), "shardlight");
}

/** Install it, with progress; false if the user stopped that. Fails with what is missing, for people. */
export async function install(context: vscode.ExtensionContext, output: vscode.LogOutputChannel): Promise<boolean> {
  const folder = environment(context);
  const wanted = vscode.workspace.getConfiguration().get<string>(PACKAGE_SETTING, "").trim();
  // A name that nobody has released under yet could be anybody's tomorrow.
  if (!wanted) {
    throw new Error(
      `Say first what is to be installed, in the setting ${PACKAGE_SETTING}: a wheel, or the folder of Shardlight's source.`,
    );
  }
  const options = { location: vscode.ProgressLocation.Notification, title: "Shardlight", cancellable: true };
  try {
    await vscode.window.withProgress(options, async (progress, token) => {
      const onLine = (line: string) => {
        output.info(line);
        progress.report({ message: line.slice(0, 100) });
      };
      const step = async (message: string, command: string, args: string[]) => {
        progress.report({ message });
        output.info(`${command} ${args.join(" ")}`);
        await run(command, args, { onLine, token });
      };
      await mkdir(context.globalStorageUri.fsPath, { recursive: true });
      await rm(folder, { recursive: true, force: true });
      const python = inside(folder, "python");
      if (await answers("uv", ["--version"])) {
        await step("making an environment …", "uv", ["venv", "--python", ">=3.10", folder]);
        await step(`installing ${wanted} …`, "uv", ["pip", "install", "--python", python, wanted]);
      } else {
        const [command, ...first] = await somePython();
        await step("making an environment …", command, [...first, "-m", "venv", folder]);
        await step(`installing ${wanted} …`, python, ["-m", "pip", "install", "--disable-pip-version-check", wanted]);
      }
    });
    return true;
  } catch (error) {
    // Half an environment would be found and not start.
    await rm(folder, { recursive: true, force: true });
    if (error instanceof Cancelled) return false;
    throw error instanceof ProgramError ? new Error(withAdvice(error.message)) : error;
  }
}

async function answers(command: string, args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

/** How to start a Python that is new enough. */
async function somePython(): Promise<[string, ...string[]]> {
  const candidates: [string, ...string[]][] = WINDOWS ? [["py", "-3"], ["python"]] : [["python3"], ["python"]];
  for (const [command, ...first] of candidates) {
    const check = "import sys; sys.exit(sys.version_info < (3, 10))";
    if (await answers(command, [...first, "-c", check])) return [command, ...first];
  }
  throw new Error("Neither uv nor Python 3.10 or newer was found. Install one of them, and try again.");
}

function withAdvice(reason: string): string {
  // Debian and Ubuntu have a package of its own for it, and say so only in the middle of what they print.
  if (/ensurepip|python3[\d.]*-venv/.test(reason))
    return `Python's venv is missing: sudo apt install python3-venv. (${reason})`;
  return reason;
}
