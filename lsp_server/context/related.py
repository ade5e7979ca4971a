"""What the code uses from other files of the workspace: the stubs of imported names, in the order of the imports."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lsp_server.context.workspace import Workspace
from lsp_server.syntax.imports import Import, imports
from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.outline import outline, render
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.snippet import Snippet

# Characters of stubs in a prompt, all files together.
BUDGET_CHARS = 3000
_SCRIPT_SUFFIXES = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs")
_SCRIPT_LANGUAGES = {"javascript", "javascriptreact", "typescript", "typescriptreact"}


def related_files(
    snapshot: Snapshot, path: Path, workspace: Workspace, *, used_in: str | None = None
) -> tuple[Snippet, ...]:
    """Stubs of what ``path`` imports from its workspace, within ``BUDGET_CHARS``; Python and JavaScript's family.

    Nothing outside the workspace folder is read, and nothing at all for a document without a file.

    Args:
        used_in: only what this text names; None for all imports.

    The order is that of the imports: it does not change while the user types below them, so the prompt's start stays.
    """
    if not path.is_absolute():
        return ()
    root = workspace.root_of(path)
    found: dict[Path, Snippet] = {}
    room = BUDGET_CHARS
    words = None if used_in is None else set(re.findall(r"\w+", used_in))
    for imported in imports(snapshot):
        if words is not None:
            names = tuple(n for n in imported.names if n in words or n == "*")
            if not names and not words & set(imported.module.split(".")[-1:]):
                continue
            imported = replace(imported, names=names)
        for target, names in _targets(snapshot, imported, path, workspace):
            if target in found or target == path or not target.is_relative_to(root):
                continue
            text = workspace.read(target)
            if text is None:
                continue
            stubs = _stubs(text, target, names)
            if stubs and len(stubs) <= room:
                found[target] = Snippet(workspace.relative(target), stubs)
                room -= len(stubs)
    return tuple(found.values())


def _stubs(text: str, path: Path, names: tuple[str, ...]) -> str:
    """The wanted names of a file as stubs; all of it if no names are given."""
    language = language_for_path(path)
    if language is None:
        return ""
    symbols = outline(Snapshot.open(text, language.id))
    if names and "*" not in names:
        symbols = tuple(s for s in symbols if (s.container or s.name).split(".")[0] in names)
    return render(symbols, language)


def _targets(
    snapshot: Snapshot, imported: Import, path: Path, workspace: Workspace
) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """(file, names wanted from it) that an import may mean."""
    language = snapshot.language.id if snapshot.language else ""
    if language == "python":
        yield from _python_targets(imported, path, workspace)
    elif language in _SCRIPT_LANGUAGES and imported.module.startswith("."):
        # Not `resolve`: a link in the workspace's own path must not make its files look foreign.
        base = Path(os.path.normpath(path.parent / imported.module))
        candidates = [base, *(Path(f"{base}{s}") for s in _SCRIPT_SUFFIXES)]
        # TypeScript may import a source by the name that it will have when it is compiled.
        candidates += [base.with_suffix(s) for s in _SCRIPT_SUFFIXES if base.suffix in {".js", ".jsx"}]
        candidates += [base / f"index{s}" for s in _SCRIPT_SUFFIXES]
        if file := next((c for c in candidates if c.is_file()), None):
            yield file, imported.names


def _python_targets(imported: Import, path: Path, workspace: Workspace) -> Iterator[tuple[Path, tuple[str, ...]]]:
    root = workspace.root_of(path)
    parts = imported.module.split(".") if imported.module else []
    if imported.level:
        starts = [path.parents[imported.level - 1]] if imported.level <= len(path.parents) else []
    else:
        starts = [root, root / "src", path.parent]
    for start in starts:
        package = start.joinpath(*parts)
        modules = [m for name in imported.names if (m := _module(package / name))]
        if own := _module(package):
            # `from package import module` names a file, `from module import name` something in it.
            yield own, imported.names
        for module in modules:
            yield module, ()
        if own or modules:
            return


def _module(stem: Path) -> Path | None:
    # Python prefers the package to the module of the same name.
    candidates = (stem / "__init__.py", stem.with_name(f"{stem.name}.py")) if stem.name else (stem / "__init__.py",)
    return next((c for c in candidates if c.is_file()), None)
