"""Other files of the workspace that say something about one: what it imports, and what lies beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

from lsp_server.context.index.resolve import resolve
from lsp_server.context.index.trees import DiskTree
from lsp_server.context.workspace import Workspace
from lsp_server.syntax.imports import imports
from lsp_server.syntax.languages import Language
from lsp_server.syntax.outline import outline, render
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.secrets import masked
from lsp_server.text.snippet import Snippet

# Characters of stubs in a prompt, all files together.
BUDGET_CHARS = 3000
MOST_NEIGHBOURS = 8


def related_files(
    snapshot: Snapshot, path: Path, workspace: Workspace, *, used_in: str | None = None
) -> tuple[Snippet, ...]:
    """Stubs of what ``path`` imports from its workspace, within ``BUDGET_CHARS``.

    Nothing outside the workspace folder is read, and nothing at all for a document without a file.

    Args:
        used_in: only what this text names; None for all imports.

    The order is that of the imports: it does not change while the user types below them, so the prompt's start stays.
    """
    if not path.is_absolute():
        return ()
    root = workspace.root_of(path)
    language = snapshot.language.id if snapshot.language else ""
    found: dict[Path, Snippet] = {}
    room = BUDGET_CHARS
    words = None if used_in is None else set(re.findall(r"\w+", used_in))
    for imported in imports(snapshot):
        if words is not None:
            here = dict(imported.aliases)
            names = tuple(n for n in imported.names if n == "*" or here.get(n, n) in words)
            if not names and here.get("*", imported.module.split(".")[-1]) not in words:
                continue
            imported = replace(imported, names=names)
        for name, names in resolve(imported, workspace.relative(path), language, DiskTree(root)):
            target = root / name
            text = None if target in found else workspace.read(target)
            if text is None:
                continue
            stubs = _stubs(text, workspace.language(target), names)
            if stubs and len(stubs) <= room:
                found[target] = Snippet.shown(workspace.relative(target), stubs)
                room -= len(stubs)
    return tuple(found.values())


def neighbours(path: Path, workspace: Workspace) -> tuple[str, ...]:
    """The texts of some files of the same language in a file's folder, in order of their names, without keys."""
    if not path.is_absolute():
        return ()
    language = workspace.language(path)
    try:
        files = sorted(other for other in path.parent.iterdir() if other != path)
    except OSError:
        return ()
    beside = (other for other in files if workspace.language(other) is language)
    found = (workspace.read(other) for other in islice(beside, MOST_NEIGHBOURS))
    return tuple(masked(text) for text in found if text)


def _stubs(text: str, language: Language | None, names: tuple[str, ...]) -> str:
    """The wanted names of a file as stubs; all of it if no names are given."""
    if language is None:
        return ""
    symbols = tuple(s for s in outline(Snapshot.open(text, language.id)) if s.kind != "attribute")
    if names and "*" not in names:
        symbols = tuple(s for s in symbols if (s.container or s.name).split(".")[0] in names)
    return render(symbols, language)
