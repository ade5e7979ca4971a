/** The Python environment that the user has chosen for the workspace, if the Python extension is there. */
import { dirname, join } from "node:path";
import * as vscode from "vscode";

/** As much as is needed of ms-python.python's interface. */
interface PythonApi {
  environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(path: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
  };
}

/** Where a program of the active environment would be; undefined if no environment is known. */
export async function inActiveEnvironment(program: string): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  // A workspace may bring an environment along: nothing of it is run before the user trusts it.
  if (!extension || !vscode.workspace.isTrusted) return undefined;
  try {
    const { environments } = await extension.activate();
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const found =
      environments && (await environments.resolveEnvironment(environments.getActiveEnvironmentPath(folder)));
    const python = found?.executable.uri?.fsPath;
    return python && join(dirname(python), process.platform === "win32" ? `${program}.exe` : program);
  } catch {
    // Another extension's trouble is not ours: the next place is looked at.
    return undefined;
  }
}
