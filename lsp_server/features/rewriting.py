"""A whole function rewritten by the model, and the checks that every rewriting must pass."""

from __future__ import annotations

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.postprocess.code import reindent, strip_answer
from lsp_server.features.types import Target, Tools
from lsp_server.inference.backend import Priority, Timings
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.scopes import FunctionScope, functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, detect_newline
from lsp_server.text.positions import split_lines


async def rewrite(
    task: str, target: Target, tools: Tools, *, phase: str, priority: Priority = Priority.ACTION
) -> tuple[TextEdit | None, Timings]:
    """Ask for the function anew, after the prompt of ``task``; returns the edit, or None if nothing changed.

    Raises:
        RefusedError: the answer is not that function: cut off, with syntax errors, another name, other parameters or
            decorators; or the function holds text that cannot be moved to column 0 and back.
    """
    scope, snapshot = target.scope, target.snapshot
    newline = detect_newline(snapshot.text)
    before = snapshot.text[scope.start : scope.end]
    if not _same_lines(reindent(target.code, scope.indentation, newline), before):
        raise RefusedError(f"{scope.name} holds lines that must not be indented, so it was left as it is.")
    messages = tools.prompts.render(
        task, target.language.id, language=target.language.name, fence=target.fence, code=target.code.rstrip("\n")
    )
    guide = Guide(tools, messages, phase=phase, priority=priority)
    guide.write(f"```{target.fence}\n")
    # An honest rewriting is about as long as the original; a token is rarely shorter than two characters.
    await guide.fill(stop=("```",), max_tokens=len(target.code) // 2 + 128)
    if not guide.complete:
        raise RefusedError(f"The rewriting of {scope.name} did not come to an end.", hint="Try again.")
    new_text = reindent(_function_alone(strip_answer(guide.answer), target), scope.indentation, newline)
    if new_text == before:
        return None, guide.timings
    edit = TextEdit(scope.start, scope.end, new_text)
    _check_same_function(edit, target)
    return edit, guide.timings


def _same_lines(one: str, other: str) -> bool:
    return [line.rstrip() for line in split_lines(one)] == [line.rstrip() for line in split_lines(other)]


def _function_alone(code: str, target: Target) -> str:
    """The function without what else an answer holds; all of it where the language has no methods outside a class."""
    answered = Snapshot.open(code, target.language.id)
    found = next((f for f in functions(answered) if f.name == target.scope.name), None)
    return code[found.start : found.end] if found and not error_count(answered) else code


def _check_same_function(edit: TextEdit, target: Target) -> None:
    """Raise RefusedError unless the edit leaves a function there that others can use as they did before."""
    scope, snapshot = target.scope, target.snapshot
    after = snapshot.edited([edit], snapshot.version)
    end = edit.start + len(edit.new_text)
    written = next((f for f in functions(after) if (f.start, f.end) == (edit.start, end)), None)
    if written is None or error_count(after) > error_count(snapshot):
        raise RefusedError(f"What came back for {scope.name} is not sound {target.language.name}.", hint="Try again.")
    if _interface(written, after) != _interface(scope, snapshot):
        raise RefusedError(f"What came back would change the signature of {scope.name}.", hint="Try again.")


def _interface(scope: FunctionScope, snapshot: Snapshot) -> tuple[object, ...]:
    """What others rely on: the name, the parameters' names, whether it is awaited, its decorators."""
    decorators = snapshot.text[scope.start : snapshot.text.index(scope.signature, scope.start)]
    return scope.name, [p.name for p in scope.parameters], scope.is_async, decorators.split()
