/** The plan, the status and the statistics as Markdown. */
import type { Plan } from "./cli";

/** What `shardlight.status` answers; as much as is shown. */
export interface StatusReport {
  version: string;
  trusted: boolean;
  completion: { model: string; state: string };
  assistant: { model: string; state: string };
  lastAnswer: {
    promptTokens: number;
    reusedTokens: number;
    predictedTokens: number;
    ttftMs: number;
    totalMs: number;
    tokensPerSecond: number;
  } | null;
}

/** What `shardlight.statistics` answers; as much as is shown. */
export interface Statistics {
  since: string;
  days: number;
  activeDays: number;
  shownPerDay: number | null;
  total: Figures;
  languages: Record<string, Figures>;
}

interface Figures {
  shown: number;
  accepted: number;
  partlyAccepted: number;
  rejected: number;
  acceptance: number | null;
  savedCharacters: number;
  withoutModelCall: number | null;
  latencyMs: { p50: number | null; p95: number | null };
}

export function planMarkdown(plan: Plan): string {
  const { decode_tokens_per_s: decode, prefill_tokens_per_s: prefill } = plan.predicted;
  return [
    `# ${plain(plan.model)}`,
    `on **${plain(plan.hardware)}**: ${plain(plan.verdict)}`,
    `**${figure(decode)}** tokens/s answering, **${figure(prefill)}** tokens/s reading, ` +
      `${plan.settings.n_ctx.toLocaleString("en")} tokens of context, ${plan.settings.n_threads} threads`,
    plan.devices.map((device) => `${plain(device.name)}: ${plain(device.description)}`).join(", "),
    table(
      ["device", "weights", "cache", "buffers", "total", "of"],
      plan.devices.map((device) => [
        device.name,
        size(device.weights_bytes),
        size(device.kv_bytes),
        size(device.compute_bytes),
        size(device.total_bytes),
        size(device.budget_bytes),
      ]),
    ),
    ...list("Why", plan.reasons),
    ...list("Better", plan.suggestions),
    plan.exact ? "" : "*Sizes are from formulas: llama.cpp is asked once the model is on this machine.*",
  ].join("\n\n");
}

export function statusMarkdown({ version, trusted, completion, assistant, lastAnswer }: StatusReport): string {
  const row = (what: string, { model, state }: StatusReport["completion"]) => [what, model, state];
  return [
    `# Shardlight ${plain(version)}`,
    trusted
      ? "This workspace is trusted: generated tests are run in a copy of it."
      : "This workspace is not trusted: nothing of it is run.",
    table(["for", "model", "state"], [row("suggestions", completion), row("actions", assistant)]),
    ...(lastAnswer
      ? [
          "## The last answer",
          `${lastAnswer.predictedTokens} tokens in ${duration(lastAnswer.totalMs)}, the first after ` +
            `${duration(lastAnswer.ttftMs)}, ${figure(lastAnswer.tokensPerSecond)} a second. Of the ` +
            `${lastAnswer.promptTokens} tokens of its prompt ${lastAnswer.reusedTokens} had been read before.`,
        ]
      : []),
  ].join("\n\n");
}

export function statisticsMarkdown(statistics: Statistics): string {
  const head = `# The last ${statistics.days} days`;
  const kept = "*Counted on this machine, and kept there: no code, no path and no file name is in it.*";
  if (statistics.total.shown === 0) return [head, "No suggestion was shown yet.", kept].join("\n\n");
  const rows: [string, Figures][] = [["all", statistics.total], ...Object.entries(statistics.languages)];
  return [
    head,
    `Suggestions were shown on ${statistics.activeDays} days, ${figure(statistics.shownPerDay)} a day.`,
    table(
      [
        "language",
        "shown",
        "accepted",
        "in part",
        "acceptance",
        "characters saved",
        "without the model",
        "median",
        "95 %",
      ],
      rows.map(([language, one]) => [
        language,
        String(one.shown),
        String(one.accepted),
        String(one.partlyAccepted),
        share(one.acceptance),
        String(one.savedCharacters),
        share(one.withoutModelCall),
        duration(one.latencyMs.p50),
        duration(one.latencyMs.p95),
      ]),
    ),
    kept,
  ].join("\n\n");
}

/** A size as people read it. */
export function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

function list(title: string, lines: string[]): string[] {
  return lines.length > 0 ? [`## ${title}`, lines.map((line) => `* ${plain(line)}`).join("\n")] : [];
}

function table(head: string[], rows: string[][]): string {
  const row = (cells: string[]) => `| ${cells.map(plain).join(" | ")} |`;
  return [row(head), `|${"---|".repeat(head.length)}`, ...rows.map(row)].join("\n");
}

/** Names of models and devices are not Markdown. */
function plain(text: string): string {
  return text.replace(/[\\`*_[\]<>|#]/g, "\\$&").replace(/\s+/g, " ");
}

function figure(value: number | null): string {
  return value === null ? "?" : value >= 10 ? String(Math.round(value)) : value.toPrecision(2);
}

function share(value: number | null): string {
  return value === null ? "–" : `${Math.round(value * 100)} %`;
}

function duration(milliseconds: number | null): string {
  if (milliseconds === null) return "–";
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
