/** The settings that the server gets to see. */
import * as vscode from "vscode";

interface Manifest {
  contributes: { configuration: { properties: Record<string, unknown> }[] };
}

/** As `{section: {name: value}}`. */
export type Settings = Record<string, Record<string, unknown>>;

// Sections that are this extension's own.
const OURS = new Set(["server", "codeLens"]);

/**
 * The settings that the user made.
 *
 * VS Code itself would answer with the defaults of all others as well, and the server, for which the editor wins, would
 * then never look at its settings file or the environment.
 */
export function ownSettings(manifest: Manifest): Settings {
  const configuration = vscode.workspace.getConfiguration();
  const settings: Settings = {};
  for (const key of manifest.contributes.configuration.flatMap(({ properties }) => Object.keys(properties))) {
    const [, section, name] = key.split(".");
    if (!section || !name || OURS.has(section)) continue;
    const found = configuration.inspect(key);
    const made = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue];
    if (made.some((value) => value !== undefined)) (settings[section] ??= {})[name] = configuration.get(key);
  }
  return settings;
}

/** The same for the command line, which reads the environment. */
export function asEnvironment(settings: Settings): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [section, values] of Object.entries(settings)) {
    for (const [name, value] of Object.entries(values)) {
      variables[`SHARDLIGHT_${section}__${name}`.toUpperCase()] = Array.isArray(value)
        ? value.join(",")
        : String(value);
    }
  }
  return variables;
}
