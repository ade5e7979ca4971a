"""Clearer names for the variables of a function. The model says names, and nothing else: the code stays what it is."""

from __future__ import annotations

import re

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.types import FileEdit, Target, Tools
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.names import names_in
from lsp_server.syntax.variables import SIGILS, renameable
from lsp_server.text.edits import TextEdit

# What everybody understands, short as it is.
_CLEAR = frozenset(
    {"i", "j", "k", "_", "e", "ex", "id", "ok", "err", "fd", "db", "ip", "os", "io", "cls", "url", "uri", "api", "env"}
    | {"row", "tag", "key", "map", "set", "sum", "end", "job", "log", "day", "top", "raw", "out", "arg", "dir", "age"}
    | {"new", "old", "now", "min", "max", "sep", "ext", "pid", "bit", "bin", "box", "car", "dog", "cat", "sql", "xml"}
)
_MEANINGLESS = frozenset(
    {"tmp", "temp", "data", "val", "value", "res", "ret", "result", "obj", "arr", "lst"}
    | {"foo", "bar", "baz", "stuff", "thing", "output", "variable"}
)
_SHORT = 3
_MOST = 8
# Languages that write `two_words`; others write `twoWords`.
_SNAKE = frozenset({"python", "rust", "ruby", "c", "lua", "php", "sql"})
_GRAMMAR = 'root ::= [a-z] [A-Za-z0-9_]{1,28} "`"'
# Words of any language that are no names in it.
_RESERVED = frozenset(
    """
    and as async await break case catch class const continue def default defer del delete do elif else end enum except
    export extends false final finally fn for from func function global go goto if impl implements import in instanceof
    interface is lambda let loop match mod move mut new nil none nonlocal not null or package pass print private
    protected public raise range ref return select self static struct super switch then this throw trait true try type
    typeof union unless until use using var void when where while with yield
    """.split()  # noqa: SIM905 - a list of so many words is hard to read
)


async def rename_variables(target: Target, tools: Tools) -> FileEdit:
    """Give unclear variables of a function names that say what they hold.

    Raises:
        RefusedError: there are none, or the model knew no better names.
    """
    unclear = _unclear(target)
    name = target.scope.name
    if not unclear:
        raise RefusedError(f"The variables of {name} have names that say something, or that stand in texts, too.")
    messages = tools.prompts.render(
        "rename", target.language.id, language=target.language.name, fence=target.fence, code=target.code.rstrip("\n")
    )
    guide = Guide(tools, messages, phase=f"Naming the variables of {name}")
    taken = {one.text.lstrip(SIGILS) for one in names_in(target.snapshot, target.scope.start, target.scope.end)}
    chosen: dict[str, str] = {}
    for old in unclear:
        guide.write(f"- `{old}` → `")
        said = await guide.fill(stop=("`", "\n"), max_tokens=16, grammar=_GRAMMAR)
        new = _in_style(said.strip("`"), target.language.id)
        guide.write("`\n")
        if _is_better(new, old) and new not in taken:
            chosen[old] = new
            taken.add(new)
    edits = [TextEdit(at, at + len(old), new) for old, new in chosen.items() for at in unclear[old]]
    after = target.snapshot.edited(edits, target.snapshot.version)
    if not edits or error_count(after) > error_count(target.snapshot):
        raise RefusedError(f"The model knew no better names for the variables of {name}.")
    words = ", ".join(f"{old} → {new}" for old, new in chosen.items())
    return FileEdit(
        f"Rename variables of {name}",
        tuple(sorted(edits, key=lambda edit: edit.start)),
        notes=(f"{words}.",),
        timings=guide.timings,
    )


def has_unclear_variables(target: Target) -> bool:
    """Whether there is something to rename."""
    return bool(_unclear(target))


def _unclear(target: Target) -> dict[str, tuple[int, ...]]:
    """The variables that may be renamed and whose names say little, with their places."""
    found = renameable(target.snapshot, target.scope)
    unclear = {name: at for name, at in found.items() if _says_little(name)}
    return dict(list(unclear.items())[:_MOST])


def _says_little(name: str) -> bool:
    return name in _MEANINGLESS or (len(name) <= _SHORT and name.lower() not in _CLEAR and name[:1].islower())


def _is_better(new: str, old: str) -> bool:
    if len(new) <= _SHORT or new == old or new.lower() in _RESERVED | _MEANINGLESS:
        return False
    # What is short and yet says something is short for the word that it says.
    return len(old) < _SHORT or old in _MEANINGLESS or bool(re.search(".*".join(map(re.escape, old)), new, re.I))


def _in_style(name: str, language: str) -> str:
    """A name as the language's people write it."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    if language in _SNAKE:
        return "_".join(words)
    return "".join(word if number == 0 else word.capitalize() for number, word in enumerate(words))
