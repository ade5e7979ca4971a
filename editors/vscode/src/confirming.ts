/** Edits of the server that want to be confirmed: they go through our preview, and are then applied as any other. */
import * as vscode from "vscode";
import {
  ResponseError,
  TextDocumentEdit,
  type ApplyWorkspaceEditParams,
  type ApplyWorkspaceEditResult,
  type CodeAction,
  type Command,
  type LanguageClient,
  type WorkspaceEdit,
} from "vscode-languageclient/node";
import type { Previews } from "./preview";

/** The reason that the server gets where the user did not want a change. */
const DISCARDED = "it was discarded";

/** Applies the edit of a code action that wants to be confirmed. */
export const APPLY_COMMAND = "shardlight.applyConfirmed";

/** Whether a command failed because the user did not want its change: the server gives our reason back. */
export function wasDiscarded(error: unknown): boolean {
  const data = error instanceof ResponseError ? (error.data as { failureReason?: string } | undefined) : undefined;
  return data?.failureReason === DISCARDED;
}

/** Ask for what wants to be confirmed, then have it applied. */
export async function confirmed(
  client: LanguageClient,
  previews: Previews,
  params: ApplyWorkspaceEditParams,
): Promise<ApplyWorkspaceEditParams | ApplyWorkspaceEditResult> {
  const { edit } = params;
  const change = toBeConfirmed(edit);
  if (!change) return params;
  const uri = client.protocol2CodeConverter.asUri(change.textDocument.uri);
  const edits = await client.protocol2CodeConverter.asTextEdits(change.edits.filter((one) => "newText" in one));
  const wanted = await previews.confirm(params.label ?? "the change", uri, edits ?? []);
  return wanted ? { ...params, edit: withoutAnnotations(edit) } : { applied: false, failureReason: DISCARDED };
}

/** A code action whose edit VS Code would apply itself becomes a command of ours, if it wants to be confirmed. */
export function previewing(action: CodeAction): CodeAction {
  const { edit, command, ...rest } = action;
  if (!edit || !toBeConfirmed(edit)) return action;
  return {
    ...rest,
    command: { title: action.title, command: APPLY_COMMAND, arguments: [edit, action.title, command] },
  };
}

/** What `APPLY_COMMAND` does. */
export async function applyConfirmed(
  client: LanguageClient,
  previews: Previews,
  edit: WorkspaceEdit,
  title: string,
  then: Command | undefined,
): Promise<void> {
  const answer = await confirmed(client, previews, { edit, label: title });
  if ("applied" in answer) return;
  await vscode.workspace.applyEdit(await client.protocol2CodeConverter.asWorkspaceEdit(answer.edit));
  if (then) await vscode.commands.executeCommand(then.command, ...((then.arguments ?? []) as unknown[]));
}

/** The change of one document that wants to be confirmed; VS Code's own list of boxes says more about several. */
function toBeConfirmed({ changeAnnotations, documentChanges }: WorkspaceEdit): TextDocumentEdit | undefined {
  const [change, ...others] = documentChanges ?? [];
  const asks = Object.values(changeAnnotations ?? {}).some((annotation) => annotation.needsConfirmation);
  return asks && change && TextDocumentEdit.is(change) && others.length === 0 ? change : undefined;
}

function withoutAnnotations({ changeAnnotations: _, ...edit }: WorkspaceEdit): WorkspaceEdit {
  const documentChanges = edit.documentChanges?.map((change) =>
    TextDocumentEdit.is(change)
      ? {
          ...change,
          edits: change.edits.map((one) => ("newText" in one ? { range: one.range, newText: one.newText } : one)),
        }
      : change,
  );
  return documentChanges ? { ...edit, documentChanges } : edit;
}
