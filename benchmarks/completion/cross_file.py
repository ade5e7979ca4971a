"""Holes that need a name from another file of the same package, found by where Python's names lead.

The cursor stands right before the name, as in CrossCodeEval (Ding et al., 2023): what follows on the line is to be
written. There as here a static analysis tells which names those are; here it is jedi's.
"""

from __future__ import annotations

import ast
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping

import jedi

from benchmarks.completion.holes import Hole, Name, names
from benchmarks.completion.projects import Project
from benchmarks.completion.scoring import identifiers


class Sources:
    """A package's files, and where the names in them are defined."""

    def __init__(self, project: Project) -> None:
        self.texts = {path: text for path in project.files() if "\r" not in (text := project.read(path))}
        self._root = project.root
        self._files = set(project.files())
        self._jedi = jedi.Project(project.root, added_sys_path=[str(project.root / project.path)], smart_sys_path=False)
        self._scripts: dict[str, jedi.Script] = {}

    def needed(self, path: str) -> list[Name]:
        """The names in a file's code that it has once, but for its imports: nothing else in the file tells them."""
        text = self.texts[path]
        imported = {row for node in _imports(text) for row in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
        often = Counter(
            word for row, line in enumerate(text.split("\n"), 1) if row not in imported for word in identifiers(line)
        )
        return [name for name in names(text) if often[name.text] == 1]

    def defines(self, path: str, row: int, column: int) -> str | None:
        """The other file of the package that defines the name at a place, if it is a single one."""
        if path not in self._scripts:
            self._scripts[path] = jedi.Script(self.texts[path], path=self._root / path, project=self._jedi)
        try:
            definitions = self._scripts[path].goto(row, column, follow_imports=True)
        except Exception:
            # Of some code jedi makes no sense, in as many ways; a name that it cannot follow is left out.
            return None
        places = (name.module_path for name in definitions)
        found = {p.relative_to(self._root).as_posix() for p in places if p is not None and p.is_relative_to(self._root)}
        return found.pop() if len(found) == 1 and found <= self._files - {path} else None

    def imports(self, path: str) -> list[str]:
        """The other files of the package that a file imports from, in order."""
        found = (
            self.defines(path, alias.lineno, alias.col_offset)
            for node in _imports(self.texts[path])
            for alias in node.names
        )
        return list(dict.fromkeys(filter(None, found)))


def candidates(projects: Mapping[str, Sources], seed: int) -> Iterator[Hole]:
    """Holes, the projects by turns; of each function one."""
    found = [_in_project(name, sources, seed) for name, sources in projects.items()]
    for row in itertools.zip_longest(*found):
        yield from (hole for hole in row if hole is not None)


def _in_project(project: str, sources: Sources, seed: int) -> Iterator[Hole]:
    places = [(path, name) for path in sources.texts for name in sources.needed(path)]
    random.Random(f"{seed} {project}").shuffle(places)
    functions: set[tuple[str, int]] = set()
    for path, name in places:
        if (path, name.function) not in functions and sources.defines(path, name.row, name.column):
            functions.add((path, name.function))
            truth = sources.texts[path][name.start : name.line_end]
            yield Hole(project, path, "tail", name.start, name.line_end, truth)


def _imports(text: str) -> Iterator[ast.Import | ast.ImportFrom]:
    yield from (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom))
