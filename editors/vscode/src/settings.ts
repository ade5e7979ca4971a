/** The settings that the server gets to see. */
import * as vscode from "vscode";

interface Manifest {
  contributes: { configuration: { properties: Record<string, unknown> } };
}

/**
 * The settings that the user made, as `{section: {name: value}}`.
 *
 * VS Code itself would answer with the defaults of all others as well, and the server, for which the editor wins, would
 * then never look at its settings file or the environment. `shardlight.server.*` is this client's own.
 */
export function ownSettings(manifest: Manifest): Record<string, Record<string, unknown>> {
  const configuration = vscode.workspace.getConfiguration();
  const settings: Record<string, Record<string, unknown>> = {};
  for (const key of Object.keys(manifest.contributes.configuration.properties)) {
    const [, section, name] = key.split(".");
    if (!section || !name || section === "server") continue;
    const found = configuration.inspect(key);
    const made = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue];
    if (made.some((value) => value !== undefined)) (settings[section] ??= {})[name] = configuration.get(key);
  }
  return settings;
}
