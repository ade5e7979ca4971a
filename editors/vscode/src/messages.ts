/** Messages to the user. VS Code cuts one off at the end of its first line, unless there is a button. */
import * as vscode from "vscode";
import { MessageType, type ShowMessageParams } from "vscode-languageclient/node";

// About as many characters as stand in a line of a notification.
const ONE_LINE = 60;
const CLOSE = "Close";

/** A message of the server. */
export function showMessage({ type, message }: ShowMessageParams): void {
  const buttons = message.length > ONE_LINE ? [CLOSE] : [];
  if (type === MessageType.Error) void vscode.window.showErrorMessage(message, ...buttons);
  else if (type === MessageType.Warning) void vscode.window.showWarningMessage(message, ...buttons);
  else void vscode.window.showInformationMessage(message, ...buttons);
}

/** Why something did not work. */
export function showError(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  showMessage({ type: MessageType.Error, message: `Shardlight: ${reason}` });
}
