"""A function that is awaited from now on."""

from __future__ import annotations

import re

from lsp_server.errors import RefusedError
from lsp_server.features.rewriting import rewrite
from lsp_server.features.trial.behaviour import Behaviour
from lsp_server.features.types import FileEdit, Target, Tools, add_timings
from lsp_server.syntax.names import names_in
from lsp_server.syntax.scopes import scopes
from lsp_server.syntax.snapshot import Snapshot

_LANGUAGES = ("python", "javascript", "javascriptreact", "typescript", "typescriptreact")
# So many of the lines that call it are told.
_MOST_TOLD = 5


def can_become_async(target: Target) -> bool:
    """Whether it is worth offering; cheap. What Python itself calls, such as a constructor, cannot be awaited."""
    scope = target.scope
    called_by_language = scope.name.startswith("__") or scope.name == "constructor"
    return target.language.id in _LANGUAGES and not scope.is_async and not called_by_language


async def to_async(target: Target, tools: Tools) -> FileEdit:
    """Make the function one that is awaited.

    Raises:
        RefusedError: what came back is not that function, waits for nothing, or does something else in calls that were
            tried.
    """
    if not can_become_async(target):
        raise RefusedError(f"{target.name} cannot become async.")
    behaviour = Behaviour(target, tools)

    async def fault(after: Snapshot) -> str:
        grown = len(after.text) - len(target.snapshot.text)
        written = after.text[target.scope.start : target.scope.end + grown]
        if not re.search(r"\bawait\b|\basync (?:for|with)\b", written):
            return "It awaits nothing."
        if target.language.id == "python" and (plain := _awaited_before(target, written)):
            return f"{plain} is not async, so it cannot be awaited."
        return await behaviour.difference(after.text, awaited=True)

    phase = f"Making {target.name} async"
    edits, timings = await rewrite("to_async", target, tools, phase=phase, becomes_async=True, check=fault)
    if not edits:
        raise RefusedError(f"The model found nothing to await in {target.name}.")
    after = target.snapshot.edited(list(edits), target.snapshot.version)
    notes = [note for note in (behaviour.note, _callers(target.name, after)) if note]
    cost = add_timings(behaviour.timings, timings)
    return FileEdit(f"Make {target.name} async", edits, notes=tuple(notes), timings=cost, preview=True)


def _awaited_before(target: Target, written: str) -> str:
    """What a function of Python awaits now and called before, when nothing was async; empty if there is nothing."""
    for called in re.findall(r"\bawait\s+([\w.]+)\(", written):
        if called in (target.name, f"self.{target.name}"):
            continue
        was_called = re.search(rf"(?<![\w.]){re.escape(called)}\(", target.code)
        last = called.rpartition(".")[2]
        if was_called and not re.search(rf"\basync def {last}\b", f"{target.snapshot.text}\n{target.related_text}"):
            return str(called)
    return ""


def _callers(name: str, after: Snapshot) -> str:
    """Which lines of the document have to await it now."""
    text = after.text
    defined = {text.index(scope.name, scope.start) for scope in scopes(after) if scope.name == name}
    calls = (
        one.start
        for one in names_in(after, 0, len(text))
        if one.text == name
        and one.start not in defined
        and text[one.start + len(name) :].lstrip()[:1] == "("
        and not re.search(r"\bawait\s+(?:[\w.]+\.)?$", text[: one.start])
    )
    lines = sorted({after.lines.line_of(start) + 1 for start in calls})
    if not lines:
        return f"Whoever calls {name} has to await it now."
    shown = ", ".join(map(str, lines[:_MOST_TOLD])) + (" …" if len(lines) > _MOST_TOLD else "")
    return f"Whoever calls {name} has to await it now, as in line{'s' if len(lines) > 1 else ''} {shown}."
