/** The menu behind the status bar item. */
import * as vscode from "vscode";
import type { Server } from "./client";
import { PATH_SETTING } from "./finding";
import type { Pausing } from "./pausing";
import type { WorkInProgress } from "./work";

interface Item extends vscode.QuickPickItem {
  run?: () => unknown;
}

export async function showMenu(server: Server, pausing: Pausing, work: WorkInProgress): Promise<void> {
  const title = "Shardlight";
  const chosen = await vscode.window.showQuickPick([...items(server, pausing, work)], { title });
  await chosen?.run?.();
}

function* items(server: Server, pausing: Pausing, work: WorkInProgress): Generator<Item> {
  yield* mending(server);
  for (const { title, cancel } of work.list) yield { label: `$(close) Cancel: ${title}`, run: cancel };
  yield* pauses(pausing);
  if (server.state.kind !== "absent") {
    yield separator("Models");
    yield command("$(list-selection) Choose a model …", "shardlight.chooseModel");
    yield command("$(cloud-download) Download a model …", "shardlight.downloadModel");
    yield command("$(graph) Show the plan: where it runs, how fast, and why", "shardlight.showPlan");
    if (server.running) yield command("$(pulse) Show statistics", "shardlight.statistics");
  }
  yield separator("Server");
  yield command("$(debug-restart) Restart", "shardlight.restart");
  yield command("$(output) Show the log", "shardlight.showLog");
  yield command("$(gear) Open settings", "shardlight.openSettings");
  yield command("$(book) First steps", "shardlight.walkthrough");
}

/** What helps where something is wrong. */
function* mending({ state, status }: Server): Generator<Item> {
  if (state.kind === "absent") {
    if (state.installable)
      yield { ...command("$(cloud-download) Install the language server", "shardlight.install"), detail: state.reason };
    yield { label: "$(gear) Say where the language server is", run: () => openSettings(PATH_SETTING) };
  } else if (state.kind === "failed") {
    yield { ...command("$(debug-restart) Start it again", "shardlight.restart"), detail: state.reason };
  } else if (status?.state === "failed") {
    yield { ...command("$(debug-restart) Try again", "shardlight.restart"), detail: status.message };
  } else if (status?.state === "missing") {
    const download = () => vscode.commands.executeCommand("shardlight.downloadModel", status.model || undefined);
    yield { label: `$(cloud-download) Download ${status.model || "a model"}`, detail: status.message, run: download };
  }
}

function* pauses(pausing: Pausing): Generator<Item> {
  yield separator("Suggestions");
  const everywhere = pausing.everywhere;
  yield command(
    everywhere ? "$(play) Resume suggestions" : "$(debug-pause) Pause suggestions",
    "shardlight.togglePause",
  );
  const language = vscode.window.activeTextEditor?.document.languageId;
  if (!language || everywhere) return;
  const label = pausing.pauses(language) ? "$(play) Resume suggestions for" : "$(debug-pause) Pause suggestions for";
  yield command(`${label} ${language}`, "shardlight.togglePauseLanguage");
}

function command(label: string, name: string): Item {
  return { label, run: () => vscode.commands.executeCommand(name) };
}

function separator(label: string): Item {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

/** The settings page, with only those that are meant. */
export function openSettings(query: string): Thenable<unknown> {
  return vscode.commands.executeCommand("workbench.action.openSettings", query);
}
