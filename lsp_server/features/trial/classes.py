"""The classes that a project defines, and what it takes to make an object of one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lsp_server.features.trial.usages import python_files
from lsp_server.syntax.python_symbols import import_statements
from lsp_server.syntax.python_tree import called_name
from lsp_server.syntax.scopes import Parameter
from lsp_server.testing.project import Project

_MOST_SUBCLASSES, _MOST_BASES = 2, 4
_ENUMS = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}
_RECORDS = {"dataclass", "define", "frozen", "mutable", "attrs"}
_DEFAULTS = {"default", "default_factory", "factory"}


@dataclass(frozen=True, slots=True)
class Needed:
    """Something that a constructor cannot do without; some have to be given by their names."""

    parameter: Parameter
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A class, and the text of the file that it is in."""

    node: ast.ClassDef
    path: Path
    text: str

    @property
    def name(self) -> str:
        """The class's."""
        return self.node.name

    @property
    def member(self) -> str:
        """The first member of an enumeration; empty for another class."""
        if _ENUMS.isdisjoint(map(called_name, self.node.bases)):
            return ""
        targets = (one.targets[0] for one in self.node.body if isinstance(one, ast.Assign))
        return next((t.id for t in targets if isinstance(t, ast.Name) and not t.id.startswith("_")), "")

    @property
    def is_abstract(self) -> bool:
        """Whether an object of it cannot be made."""
        methods = (one for one in self.node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)))
        marked = any("abstract" in called_name(one) for method in methods for one in method.decorator_list)
        return marked or "Protocol" in self.bases

    @property
    def bases(self) -> list[str]:
        """Their names, without what is in brackets."""
        return [called_name(base.value if isinstance(base, ast.Subscript) else base) for base in self.node.bases]


class Definitions:
    """The classes of a project as code with the names of one file sees them."""

    def __init__(self, project: Project, source: Path, text: str) -> None:
        """Classes for a file, ``source``; ``text`` is what is in it by now."""
        self._project = project
        self._source = source
        self._text = text

    def find(self, name: str, near: Path | None = None) -> Definition | None:
        """The class of a name, which may have dots; None if there is none, or several and no telling which.

        Args:
            near: the file that names it; None for the code's own.
        """
        prefix, _, last = name.rpartition(".")
        places = self._places.get(last, [])
        own = near or self._source
        if not prefix and own in places:
            return self._definition(last, own)
        if len(places) > 1:
            module = self._imported.get(prefix or last, prefix).lstrip(".")
            module = module if prefix else module.rpartition(".")[0]
            places = [one for one in places if f".{self._project.module(one)}".endswith(f".{module}") and module]
        return self._definition(last, places[0]) if len(places) == 1 else None

    def derived(self, definition: Definition) -> list[Definition]:
        """Some classes with it as a base."""
        pattern = re.compile(rf"^class (\w+)\([^)]*\b{definition.name}\b", re.MULTILINE)
        names = [(name, path) for path, text in self._texts.items() for name in pattern.findall(text)]
        found = (self._definition(name, path) for name, path in names[:_MOST_SUBCLASSES])
        return [one for one in found if one is not None]

    def needed(self, definition: Definition, depth: int = _MOST_BASES) -> list[Needed]:
        """What its constructor cannot do without, in order; a class that has none has that of its base."""
        body = definition.node.body
        own = next((one for one in body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
        if own is not None:
            return _needed_of(own.args)
        bases = (self.find(base, definition.path) for base in definition.bases if depth)
        inherited = [one for base in bases if base for one in self.needed(base, depth - 1)]
        return inherited + _fields(definition)

    def said(self, definition: Definition, name: str) -> tuple[str, tuple[str, ...]]:
        """How code of the file says a class that is asked for by a name, and the import that this needs."""
        if name.partition(".")[0] in self._imported or (definition.path == self._source):
            return name, ()
        return definition.name, (f"from {self._project.module(definition.path)} import {definition.name}",)

    def _definition(self, name: str, path: Path) -> Definition | None:
        nodes = (node for node in self._trees[path].body if isinstance(node, ast.ClassDef) and node.name == name)
        return next((Definition(node, path, self._texts[path]) for node in nodes), None)

    @cached_property
    def _texts(self) -> dict[Path, str]:
        """The files that define classes."""
        others = (path for path in python_files(self._project.folder) if path != self._source)
        found = {path: self._project.workspace.read(path) or "" for path in others}
        return {self._source: self._text, **{path: text for path, text in found.items() if "class " in text}}

    @cached_property
    def _trees(self) -> _Trees:
        return _Trees(self._texts)

    @cached_property
    def _places(self) -> dict[str, list[Path]]:
        """Class → the files that define one of that name."""
        found: dict[str, list[Path]] = defaultdict(list)
        for path, text in self._texts.items():
            for name in dict.fromkeys(re.findall(r"^class (\w+)", text, re.MULTILINE)):
                found[name].append(path)
        return dict(found)

    @cached_property
    def _imported(self) -> dict[str, str]:
        """What the file imports, be it for a type checker alone: name → where that is from, with dots."""
        found = {}
        for name, statement in import_statements(self._text).items():
            start, _, last = statement.partition("import ")
            module = start.removeprefix("from ").strip()
            found[name] = f"{module}.{last.split(' as ')[0]}" if module else last.split(" as ")[0]
        return found


class _Trees(dict[Path, ast.Module]):
    """The trees of some files, each made when it is asked for; an empty one of what Python cannot read."""

    def __init__(self, texts: dict[Path, str]) -> None:
        super().__init__()
        self._of = texts

    def __missing__(self, path: Path) -> ast.Module:
        try:
            tree = ast.parse(self._of[path])
        except (SyntaxError, ValueError):
            tree = ast.Module([], [])
        return self.setdefault(path, tree)


def _needed_of(given: ast.arguments) -> list[Needed]:
    positional = [*given.posonlyargs, *given.args]
    needed = [Needed(_parameter(one)) for one in positional[1 : len(positional) - len(given.defaults)]]
    by_name = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return needed + [Needed(_parameter(one), by_name=True) for one, default in by_name if default is None]


def _parameter(one: ast.arg) -> Parameter:
    return Parameter(one.arg, ast.unparse(one.annotation) if one.annotation else None)


def _fields(definition: Definition) -> list[Needed]:
    """Those of a record that have no default."""
    decorators = [one.func if isinstance(one, ast.Call) else one for one in definition.node.decorator_list]
    if _RECORDS.isdisjoint(map(called_name, decorators)) and "NamedTuple" not in definition.bases:
        return []
    by_name = any("kw_only=True" in ast.unparse(one) for one in definition.node.decorator_list)
    return [
        Needed(Parameter(one.target.id, ast.unparse(one.annotation)), by_name)
        for one in definition.node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        if not _has_default(one.value) and "ClassVar" not in ast.unparse(one.annotation)
    ]


def _has_default(value: ast.expr | None) -> bool:
    if not isinstance(value, ast.Call):
        return value is not None
    given: Sequence[ast.keyword] = value.keywords
    return called_name(value.func) not in ("field", "Field") or any(one.arg in _DEFAULTS for one in given)
