/** What is going on, and how the status bar says it. */

/** The parameters of `shardlight/status`. */
export interface ServerStatus {
  state: "idle" | "missing" | "downloading" | "loading" | "ready" | "busy" | "failed";
  model: string;
  percent: number | null;
  message: string;
  tokensPerSecond: number | null;
}

/** What the client itself knows: whether there is a server to ask. */
export type ClientState =
  | { kind: "starting" }
  | { kind: "running" }
  | { kind: "stopped" }
  | { kind: "absent"; reason: string; installable: boolean }
  | { kind: "failed"; reason: string };

export interface Paused {
  everywhere: boolean;
  /** The language in view, if it is that which is paused. */
  language: string | undefined;
}

export interface Shown {
  text: string;
  /** Markdown. */
  tooltip: string;
  severity: "error" | "warning" | undefined;
}

const BUSY = "$(loading~spin)";

/** Text and tooltip of the status bar item. What keeps the user from working comes first. */
export function shown(client: ClientState, server: ServerStatus | undefined, paused: Paused): Shown {
  switch (client.kind) {
    case "absent":
      return item(
        `$(warning) Shardlight: ${client.installable ? "not installed" : "not found"}`,
        client.reason,
        "warning",
      );
    case "failed":
      return item("$(error) Shardlight: failed", client.reason, "error");
    case "stopped":
      return item("$(circle-slash) Shardlight: stopped", "The language server is stopped.");
    case "starting":
      return item(`${BUSY} Shardlight: starting`, "The language server is starting.");
  }
  if (server?.state === "failed") return item("$(error) Shardlight: failed", server.message, "error");
  if (paused.everywhere) return item("$(debug-pause) Shardlight: paused", "Suggestions are paused.");
  if (paused.language)
    return item("$(debug-pause) Shardlight: paused", `Suggestions are paused for ${paused.language}.`);
  const details = server ? about(server) : "";
  switch (server?.state) {
    case "missing":
      return item("$(cloud-download) Shardlight: no model", `${details}\n\nClick to download it.`, "warning");
    case "downloading":
      return item(`$(cloud-download) Shardlight: downloading${percent(server)}`, details);
    case "loading":
      return item(`${BUSY} Shardlight: loading${percent(server)}`, details);
    case "busy":
      return item(`${BUSY} Shardlight: busy`, details);
    case "ready":
      return item("$(chip) Shardlight", `Ready. ${details}`);
    default:
      return item("$(chip) Shardlight", "Ready. No model was needed yet.");
  }
}

function item(text: string, tooltip: string, severity?: "error" | "warning"): Shown {
  return { text, tooltip, severity };
}

function about({ model, message, tokensPerSecond }: ServerStatus): string {
  const speed = tokensPerSecond ? `${tokensPerSecond} tokens/s` : "";
  return [model && `Model: ${code(model)}`, message, speed].filter(Boolean).join("\n\n");
}

/** A model's name may be a path, whose characters are not to mean anything. */
function code(text: string): string {
  return `\`${text.replaceAll("`", "'")}\``;
}

function percent({ percent }: ServerStatus): string {
  return percent === null ? "" : ` ${percent} %`;
}
