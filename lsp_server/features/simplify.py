"""A function that does the same in another way: simpler, or faster."""

from __future__ import annotations

import re

from lsp_server.errors import RefusedError
from lsp_server.features.rewriting import rewrite
from lsp_server.features.trial.behaviour import Behaviour
from lsp_server.features.types import FileEdit, Target, Tools, add_timings
from lsp_server.syntax.comments import without_comments
from lsp_server.syntax.languages import Language
from lsp_server.syntax.snapshot import Snapshot

# A line that calls something: the first word before a dot, and the name.
_CALL = re.compile(
    r"^[ \t]*(?:await[ \t]+)?(?:\$?(?P<owner>\w+)(?:\.|->|::|\?\.))?(?:\w+(?:\.|->|::|\?\.))*(?P<name>\w+)[ \t]*\(",
    re.MULTILINE,
)
_KEYWORDS = frozenset(
    """
    if elif for foreach while until switch match case catch except return with and or not assert throw raise yield in
    unless when super lambda func function
    """.split()  # noqa: SIM905 - a list of so many words is hard to read
)

# What puts something into a collection.
_FILLING = frozenset(
    {"append", "appendleft", "add", "extend", "insert", "push", "push_back", "put", "set", "setdefault", "unshift"}
    | {"update", "write"}
)
# A statement that closes what it opens.
_CLOSING = re.compile(r"^\s*(?:async\s+)?(?:with|using|try)\b", re.MULTILINE)


async def simplify(target: Target, tools: Tools) -> FileEdit:
    """Rewrite the function more simply.

    Raises:
        RefusedError: nothing simpler came out, or it failed a check, or does something else in calls that were tried.
    """
    return await _rewritten("simplify", "Simplify", "Simplifying", target, tools)


async def optimise(target: Target, tools: Tools) -> FileEdit:
    """Rewrite the function so that it takes less time. Raises RefusedError as `simplify` does."""
    return await _rewritten("optimise", "Optimise", "Optimising", target, tools)


async def _rewritten(task: str, verb: str, doing: str, target: Target, tools: Tools) -> FileEdit:
    behaviour = Behaviour(target, tools)

    async def difference(after: Snapshot) -> str:
        end = target.scope.end + len(after.text) - len(target.snapshot.text)
        written = after.text[target.scope.start : end]
        if task == "simplify" and _weight(written, target.language) >= _weight(target.code, target.language):
            raise RefusedError(f"The model found nothing to simplify in {target.name}.")
        lost = _lost_call(target.code, written, target.language)
        return f"{lost} is no longer called." if lost else await behaviour.difference(after.text)

    edits, timings = await rewrite(task, target, tools, phase=f"{doing} {target.name}", check=difference)
    if not edits:
        raise RefusedError(f"The model found nothing to {verb.lower()} in {target.name}.")
    notes = (behaviour.note,) if behaviour.note else ()
    cost = add_timings(behaviour.timings, timings)
    return FileEdit(f"{verb} {target.name}", edits, notes=notes, timings=cost, preview=True)


def _lost_call(before: str, after: str, language: Language) -> str:
    """What was called for what it does, and is not any more; empty if nothing is.

    No call that was tried may show what comes of it. How a value of the function's own is put together may change, and
    what closes it may be a statement.
    """
    was, now = (without_comments(Snapshot.open(code, language.id)) for code in (before, after))
    for found in _CALL.finditer(was):
        name = found["name"]
        own = found["owner"] and re.search(rf"\b{found['owner']}\b\s*(?::[^=\n]+)?:?=[^=]", was)
        otherwise = (name in _FILLING and own) or (name == "close" and _CLOSING.search(now))
        if not otherwise and name not in _KEYWORDS and not re.search(rf"\b{re.escape(name)}\s*\(", now):
            return name
    return ""


def _weight(code: str, language: Language) -> int:
    """How many characters there are that are not blank, nor in comments; a simplification takes some away."""
    comment = language.line_comment
    lines = (line for line in code.splitlines() if not (comment and line.lstrip().startswith(comment)))
    return len("".join("".join(lines).split()))
