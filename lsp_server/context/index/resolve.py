"""Which files of the workspace an import means: one small rule a language.

All paths are relative to the workspace folder, with forward slashes. What leads out of it is not followed, and what
only a build tool could tell stays unresolved.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from lsp_server.context.index.trees import FileTree
from lsp_server.context.index.tsconfig import mapped
from lsp_server.context.index.types import ResolvedImport
from lsp_server.syntax.imports import Import

# A file, and what is wanted from it by name; nothing by name means all of it.
Target = tuple[str, tuple[str, ...]]

_SCRIPT_SUFFIXES = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
_INCLUDE_FOLDERS = ("include", "src")
_RUST_ROOTS = ("lib.rs", "main.rs")
_CONFIG = re.compile(r"go\.mod|[jt]sconfig(\..+)?\.json")
# A package of more files than this says too little.
_MOST_FILES = 50


def configures(path: str) -> bool:
    """Whether a file says what imports mean, so that all of them may mean something else when it changes."""
    return _CONFIG.fullmatch(posixpath.basename(path)) is not None


def resolve(imported: Import, importer: str, language_id: str, tree: FileTree) -> tuple[Target, ...]:
    """The files that an import in ``importer`` means, with what is wanted from each; the importer is not among them."""
    rule = _RULES.get(language_id)
    if rule is None or not (imported.module or imported.level):
        return ()
    found: dict[str, tuple[str, ...]] = {}
    for target, names in rule(imported, importer, tree):
        if target != importer:
            found.setdefault(target, names)
    return tuple(found.items())


def resolve_all(
    imported: Iterable[Import],
    importer: str,
    language_id: str,
    tree: FileTree,
    root: Path,
    excluded: Callable[[Path], bool] = lambda _path: False,
) -> Iterator[ResolvedImport]:
    """All imports of a file with the files that they mean below ``root``; one that means none is there without a file.

    Args:
        excluded: whether an import shall not lead to a file.
    """
    for one in imported:
        targets = [
            (root / target, names)
            for target, names in resolve(one, importer, language_id, tree)
            if not excluded(root / target)
        ]
        for target, names in targets or ((None, one.names),):
            yield ResolvedImport(one.module, names, one.level, target, one.aliases)


def _python(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
    folders = _ancestors(importer)
    if imported.level:
        starts = list(folders[imported.level - 1 : imported.level])
    else:
        # Python looks into the folder that a program is in, which is no package, and never there for its own modules.
        own_modules = imported.module.partition(".")[0] in sys.stdlib_module_names
        around = [f for f in folders if not (own_modules or tree.has(posixpath.join(f, "__init__.py")))]
        starts = list(dict.fromkeys(["", "src", *(s for f in around for s in (f, posixpath.join(f, "src")))]))
    module = imported.module.replace(".", "/")
    for start in starts:
        package = posixpath.join(start, module) if module else start
        own = _python_module(package, tree)
        modules = [m for name in imported.names if (m := _python_module(posixpath.join(package, name), tree))]
        if own:
            # `from package import module` names a file, `from module import name` something in it.
            yield own, imported.names
        for found in modules:
            yield found, ()
        if own or modules:
            return


def _python_module(stem: str, tree: FileTree) -> str | None:
    # Python prefers the package to the module of the same name, and type checkers the stub to neither.
    candidates = (posixpath.join(stem, "__init__.py"), f"{stem}.py", f"{stem}.pyi")
    return next((c for c in candidates if tree.has(c)), None)


def _script(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
    module = imported.module
    if module.startswith("."):
        bases = [posixpath.join(posixpath.dirname(importer), module)]
    else:
        bases = list(mapped(module, _ancestors(importer), tree.read))
    for base in map(posixpath.normpath, bases):
        base = "" if base == "." else base
        stem, suffix = posixpath.splitext(base)
        candidates = [base, *(f"{base}{s}" for s in _SCRIPT_SUFFIXES)]
        # TypeScript may import a source by the name that it will have when it is compiled.
        candidates += [f"{stem}{s}" for s in _SCRIPT_SUFFIXES if suffix in (".js", ".jsx", ".mjs", ".cjs")]
        candidates += [posixpath.join(base, f"index{s}") for s in _SCRIPT_SUFFIXES]
        if file := next((c for c in candidates if tree.has(c)), None):
            yield file, imported.names
            return


def _go(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
    for folder in _ancestors(importer):
        text = tree.read(posixpath.join(folder, "go.mod"))
        if text is None:
            continue
        declared = re.search(r"^module\s+\"?([^\s\"]+)", text, re.MULTILINE)
        name = declared[1] if declared else ""
        if name and (imported.module == name or imported.module.startswith(f"{name}/")):
            package = posixpath.join(folder, imported.module[len(name) + 1 :]).rstrip("/")
            yield from ((f, ()) for f in _few(tree.inside(package), ".go") if not f.endswith("_test.go"))
        return


def _rust(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
    first, *parts = imported.module.removesuffix("::*").split("::")
    folder, name = posixpath.split(importer)
    # The folder of a module's children: `a.rs` has them in `a/`, `a/mod.rs` and the crate's root beside it.
    home = folder if name in ("mod.rs", *_RUST_ROOTS) else importer.removesuffix(".rs")
    if first == "crate":
        roots = _RUST_ROOTS
        start = next((f for f in _ancestors(importer) if any(tree.has(posixpath.join(f, r)) for r in roots)), None)
        if start is None:
            return
        home = start
    elif first == "super":
        home = posixpath.dirname(home)
        while parts[:1] == ["super"]:
            home, parts = posixpath.dirname(home), parts[1:]
    elif first != "self":
        # A module that is declared here, or another crate.
        if not _rust_module(posixpath.join(home, first), tree):
            return
        parts = [first, *parts]
    names = imported.names
    while True:
        stem = posixpath.join(home, *parts)
        file = _rust_module(stem, tree)
        if not (file or parts):
            file = next((c for root in _RUST_ROOTS if tree.has(c := posixpath.join(home, root))), None)
        nested = {sub: found for sub in names if (found := _rust_module(posixpath.join(stem, sub), tree))}
        rest = tuple(sub for sub in names if sub not in nested)
        if file and (rest or not names):
            yield file, rest
        yield from ((found, ()) for found in nested.values())
        if file or nested or not parts:
            return
        # `use crate::shapes::Circle;` ends with a name in the file.
        names, parts = (parts[-1],), parts[:-1]


def _rust_module(stem: str, tree: FileTree) -> str | None:
    return next((c for c in (f"{stem}.rs", posixpath.join(stem, "mod.rs")) if tree.has(c)), None)


def _qualified(*suffixes: str) -> Callable[[Import, str, FileTree], Iterator[Target]]:
    """``a.b.C`` is a file ``C`` in folders ``a/b``; ``a.b.C.member`` is in it, ``a.b`` is all files of a folder."""

    def rule(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
        parts = imported.module.split(".")
        for suffix in suffixes:
            for count in (len(parts), len(parts) - 1):
                if count and (file := _by_tail(parts[:count], suffix, count, tree)):
                    yield file, tuple(parts[count:])
                    return
        for folder in _ancestors(importer):
            for place in ("", "java", "kotlin", "main/java", "main/kotlin", "src"):
                package = posixpath.join(folder, place, *parts)
                if files := [f for suffix in suffixes for f in _few(tree.inside(package), suffix)]:
                    yield from ((f, ()) for f in files[:_MOST_FILES])
                    return

    return rule


def _csharp(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
    parts = imported.module.split(".")
    if len(parts) > 1 and (file := _by_tail(parts, ".cs", 2, tree)):
        yield file, ()
        return
    # A namespace: its folders often begin below the project's own name.
    for folder in _ancestors(importer):
        for skipped in range(len(parts)):
            if files := _few(tree.inside(posixpath.join(folder, *parts[skipped:])), ".cs"):
                yield from ((f, ()) for f in files)
                return


def _php(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
    if imported.module.endswith(".php"):
        yield from _beside(imported, importer, tree)
        return
    # PSR-4 puts a folder in place of the namespace's beginning: the rest is the path.
    parts = imported.module.strip("\\").split("\\")
    if file := _by_tail(parts, ".php", min(2, len(parts)), tree):
        yield file, ()


def _lua(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
    path = imported.module.replace(".", "/")
    for folder in _ancestors(importer):
        for start in (folder, posixpath.join(folder, "lua"), posixpath.join(folder, "src")):
            stem = posixpath.join(start, path)
            if file := next((c for c in (f"{stem}.lua", posixpath.join(stem, "init.lua")) if tree.has(c)), None):
                yield file, ()
                return


def _ruby(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
    yield from _beside(imported, importer, tree, ".rb", ("lib",))


def _include(imported: Import, importer: str, tree: FileTree) -> Iterator[Target]:
    yield from _beside(imported, importer, tree, "", _INCLUDE_FOLDERS)


def _beside(
    imported: Import, importer: str, tree: FileTree, suffix: str = "", folders: tuple[str, ...] = ()
) -> Iterator[Target]:
    """A path from the importer's folder, from one around it, or from one of ``folders`` in these."""
    for start in _ancestors(importer):
        for place in ("", *folders):
            path = posixpath.normpath(posixpath.join(start, place, imported.module.lstrip("/")))
            if file := next((c for c in (path, f"{path}{suffix}") if tree.has(c)), None):
                yield file, ()
                return


def _by_tail(parts: list[str], suffix: str, least: int, tree: FileTree) -> str | None:
    """The file whose folders end most like ``parts``, and at least in ``least`` of them, its own name included."""
    best: tuple[int, str] | None = None
    for path in sorted(tree.named(f"{parts[-1]}{suffix}")):
        own = [*posixpath.dirname(path).split("/"), parts[-1]]
        same = 0
        while same < min(len(own), len(parts)) and own[-1 - same].lower() == parts[-1 - same].lower():
            same += 1
        if same >= least and (best is None or same > best[0]):
            best = (same, path)
    return best[1] if best else None


def _few(paths: Iterable[str], suffix: str) -> list[str]:
    return sorted(path for path in paths if path.endswith(suffix))[:_MOST_FILES]


@lru_cache(maxsize=4096)
def _ancestors_of(folder: str) -> tuple[str, ...]:
    # No recursion: nobody but the one who made them limits how deep folders are.
    found = [folder]
    while folder:
        folder = posixpath.dirname(folder)
        found.append(folder)
    return tuple(found)


def _ancestors(path: str) -> tuple[str, ...]:
    """The folders around a file from its own to the workspace's, which is ``""``."""
    return _ancestors_of(posixpath.dirname(path))


_RULES: dict[str, Callable[[Import, str, FileTree], Iterator[Target]]] = {
    "python": _python,
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), _script),
    "go": _go,
    "rust": _rust,
    **dict.fromkeys(("java", "kotlin"), _qualified(".java", ".kt")),
    "csharp": _csharp,
    **dict.fromkeys(("c", "cpp"), _include),
    "ruby": _ruby,
    "php": _php,
    "lua": _lua,
    "shellscript": _beside,
}
