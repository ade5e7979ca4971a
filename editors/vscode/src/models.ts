/** Choosing and downloading models, and seeing how one would run. */
import * as vscode from "vscode";
import type { CommandLine, Model, Plan, Role, Transfer } from "./cli";
import type { MarkdownPanel } from "./panel";
import { Cancelled } from "./program";
import { planMarkdown, size } from "./reports";

const ROLES: Record<Role, string> = {
  completion: "Completes while you type",
  assistant: "Writes documentation, tests and explanations",
};
const OTHER = "Another one …";

interface ModelItem extends vscode.QuickPickItem {
  model?: Model;
  /** What the setting is to be. */
  value?: string;
}

export class Models {
  constructor(
    private readonly cli: CommandLine,
    private readonly panel: MarkdownPanel,
    private readonly output: vscode.LogOutputChannel,
    /** Called when a model has been downloaded. */
    private readonly downloaded: () => Promise<void>,
  ) {}

  /** Which model serves for what; one that is not here is downloaded if the user wants that. */
  async choose(): Promise<void> {
    const role = await pickRole();
    if (!role) return;
    const known = (await this.cli.models()).filter((model) => model.roles.length === 0 || model.roles.includes(role));
    const current = setting(role);
    const items: ModelItem[] = [
      { label: "Automatic", value: "auto", detail: "The strongest model that is here and fast enough on this machine" },
      ...known.map((model) => ({ ...described(model), value: model.name })),
      { label: OTHER, detail: "A GGUF file, or hf:org/repo[:quant]" },
    ];
    for (const item of items)
      if (item.value === current) item.description = `${item.description ?? ""} (chosen)`.trim();
    const chosen = await this.pick(`Shardlight: ${ROLES[role]}`, items, role);
    if (!chosen) return;
    const value =
      chosen.value ??
      (await vscode.window.showInputBox({ title: "Shardlight: which model?", prompt: chosen.detail ?? "" }));
    if (!value) return;
    if (chosen.model && !chosen.model.installed) {
      if (!(await agreed(chosen.model)) || !(await this.download(chosen.model.name))) return;
    }
    const made = vscode.workspace.getConfiguration().inspect(`shardlight.models.${role}`);
    // Set where it would have an effect.
    const target =
      made?.workspaceValue === undefined ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
    await vscode.workspace.getConfiguration().update(`shardlight.models.${role}`, value, target);
  }

  /** Download a model of the catalog, or that one; true once it is here. */
  async download(name?: string): Promise<boolean> {
    if (name === undefined) {
      const missing = (await this.cli.models()).filter((model) => !model.installed);
      const chosen = await this.pick("Shardlight: download a model", missing.map(described), "assistant");
      if (!chosen?.model) return false;
      name = chosen.model.name;
    }
    const wanted = name;
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: `Shardlight: ${wanted}`,
      cancellable: true,
    };
    try {
      await vscode.window.withProgress(options, async (progress, token) => {
        this.output.info(`downloading ${wanted}`);
        progress.report({ message: "downloading …" });
        let reached = 0;
        const onTransfer = ({ state, percent, message }: Transfer) => {
          // A bar only goes forward: checking what has come does not move it.
          const now = Math.max(reached, percent ?? 0);
          const said = [state, percent == null ? "" : `${percent} %`, message].filter(Boolean).join(", ");
          progress.report({ message: said, increment: now - reached });
          reached = now;
        };
        await this.cli.pull(wanted, onTransfer, token);
      });
    } catch (error) {
      if (error instanceof Cancelled) return false;
      throw error;
    }
    await this.downloaded();
    void vscode.window.showInformationMessage(`Shardlight: ${wanted} is here.`);
    return true;
  }

  /** How a model runs on this machine, and why; without a name the one that serves for what the user says. */
  async showPlan(name = "auto", role?: Role): Promise<void> {
    const meant = role ?? (await pickRole());
    if (!meant) return;
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: "Shardlight: planning …",
      cancellable: true,
    };
    let plan: Plan;
    try {
      plan = await vscode.window.withProgress(options, (_, token) => this.cli.plan(name, meant, token));
    } catch (error) {
      if (error instanceof Cancelled) return;
      throw error;
    }
    await this.panel.show(planMarkdown(plan));
  }

  /** A list of models, each with a button that shows how it would run. */
  private pick(title: string, items: ModelItem[], role: Role): Promise<ModelItem | undefined> {
    return new Promise((resolve) => {
      const list = vscode.window.createQuickPick<ModelItem>();
      list.title = title;
      list.matchOnDetail = true;
      list.placeholder = "The button at the right shows how a model would run on this machine";
      list.items = items;
      list.onDidTriggerItemButton(({ item }) => {
        if (item.model) void vscode.commands.executeCommand("shardlight.showPlan", item.model.name, role);
      });
      list.onDidAccept(() => {
        resolve(list.selectedItems[0]);
        list.hide();
      });
      list.onDidHide(() => {
        resolve(undefined);
        list.dispose();
      });
      list.show();
    });
  }
}

async function pickRole(): Promise<Role | undefined> {
  const roles = Object.keys(ROLES) as Role[];
  const items = roles.map((role) => ({ label: ROLES[role], description: setting(role), role }));
  return (await vscode.window.showQuickPick(items, { title: "Shardlight: the model for what?" }))?.role;
}

/** Whether the user wants the download that a choice comes with. */
async function agreed(model: Model): Promise<boolean> {
  const DOWNLOAD = "Download";
  const about = { modal: true, detail: [model.title, model.licence].filter(Boolean).join(" · ") };
  const much = model.size_bytes ? `, ${size(model.size_bytes)}` : "";
  const question = `${model.name} is not on this machine yet. Download it${much}?`;
  return (await vscode.window.showInformationMessage(question, about, DOWNLOAD)) === DOWNLOAD;
}

function setting(role: Role): string {
  return vscode.workspace.getConfiguration().get<string>(`shardlight.models.${role}`, "auto");
}

function described(model: Model): ModelItem {
  const facts = [
    model.size_bytes ? size(model.size_bytes) : "",
    model.licence ?? "",
    model.commercial_use === false ? "not for commercial use" : "",
    model.roles.join(", "),
  ];
  return {
    label: `${model.installed ? "$(check)" : "$(cloud-download)"} ${model.name}`,
    description: model.installed ? "here" : "not here yet",
    detail: [model.title, ...facts].filter(Boolean).join(" · "),
    buttons: [{ iconPath: new vscode.ThemeIcon("graph"), tooltip: "How it would run on this machine" }],
    model,
  };
}
