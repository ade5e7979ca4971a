"""Holes that need a name from another file of the same package: found with the syntax tree, judged by the letter."""

from __future__ import annotations

import ast
import io
import itertools
import random
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from benchmarks.completion.holes import Hole, Kind, spots
from benchmarks.completion.projects import Project
from benchmarks.completion.scoring import identifiers

KINDS: tuple[Kind, ...] = ("line", "tail")
_EVERYWHERE = (str, bytes, list, dict, set, tuple, int, float, type, Exception, re.Pattern, re.Match, io.StringIO)
_BUILT_IN = frozenset(name for kind in _EVERYWHERE for name in dir(kind))


@dataclass(slots=True)
class Module:
    """What a file defines, and what it has from others.

    Attributes:
        top: functions, classes and variables of the module.
        members: methods and attributes of its classes.
        imported: names from other files of the package, with the file.
        imports: those files, in the order of the import statements.
        import_lines: lines of import statements, from 1.
    """

    top: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    imported: dict[str, str] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)
    import_lines: set[int] = field(default_factory=set)


def modules(texts: Mapping[str, str], path: str = ".") -> dict[str, Module]:
    """All files of a package, by path; ``path`` is the folder that imports begin in."""
    return {name: _module(name, text, texts, PurePosixPath(path)) for name, text in texts.items()}


def needed(truth: str, words: Counter[str], here: Module, elsewhere: Collection[str]) -> bool:
    """Whether a truth has a name of another file that nothing else in its own file but an import tells.

    Args:
        words: how often each stands in the file, import statements aside.
        elsewhere: members that classes of other files have.
    """
    for name, number in Counter(identifiers(truth)).items():
        if words[name] > number or name in here.top or name in here.members:
            continue
        if name in here.imported:
            return True
        if name in elsewhere and name not in _BUILT_IN and re.search(rf"\.{name}\b", truth):
            return True
    return False


def candidates(projects: Mapping[str, Project], kind: Kind, seed: int) -> Iterator[Hole]:
    """All of a kind, the projects by turns; of each function one."""
    found = [_in_project(project, kind, seed) for project in projects.values()]
    for row in itertools.zip_longest(*found):
        yield from (hole for hole in row if hole is not None)


def _in_project(project: Project, kind: Kind, seed: int) -> list[Hole]:
    rng = random.Random(f"{seed} {project.root.name} {kind}")
    texts = {path: text for path in project.files() if "\r" not in (text := project.read(path))}
    by_path = modules(texts, project.path)
    found = []
    for path, text in texts.items():
        here = by_path[path]
        elsewhere = {name for other, module in by_path.items() if other != path for name in module.members}
        lines = enumerate(text.split("\n"), 1)
        words = Counter(word for row, line in lines if row not in here.import_lines for word in identifiers(line))
        for spot in spots(text, rng):
            truth = text[spot.start : spot.end]
            if spot.kind == kind and needed(truth, words, here, elsewhere):
                found.append((spot.function, Hole(project.name, path, kind, spot.start, spot.end, truth)))
    rng.shuffle(found)
    of_function = {(hole.path, function): hole for function, hole in reversed(found)}
    return list(reversed(of_function.values()))


def _module(path: str, text: str, texts: Mapping[str, str], root: PurePosixPath) -> Module:
    module = Module()
    tree = ast.parse(text)
    for statement in tree.body:
        module.top |= _defined(statement)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                module.members |= _defined(statement)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            module.members.add(node.attr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module.import_lines |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            if isinstance(node, ast.ImportFrom):
                _follow(node, module, path, texts, root)
    return module


def _defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return {target.id for target in targets if isinstance(target, ast.Name)}
    return set()


def _follow(node: ast.ImportFrom, module: Module, path: str, texts: Mapping[str, str], root: PurePosixPath) -> None:
    """Note what an import has from other files of the package."""
    base = PurePosixPath(path).parents[node.level - 1] if node.level else root
    target = base.joinpath(*(node.module or "").split("."))
    for alias in node.names:
        places = (target.with_suffix(".py"), target / "__init__.py")
        if node.module is None or (target / f"{alias.name}.py").as_posix() in texts:
            places = (target / f"{alias.name}.py", target / "__init__.py")
        for place in places:
            if (name := place.as_posix()) in texts and name != path:
                module.imported[alias.asname or alias.name] = name
                if name not in module.imports:
                    module.imports.append(name)
                break
