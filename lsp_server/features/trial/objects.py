"""How objects of a project's own classes are made: with what their constructors ask for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

from lsp_server.features.trial.plain_values import Made, class_in, options, parts
from lsp_server.features.trial.usages import factories, python_files, usages
from lsp_server.syntax.python_tree import called_name
from lsp_server.syntax.scopes import Parameter
from lsp_server.testing.project import Project

# An object may need another one, and so on.
_DEPTH = 3
_MOST_WAYS, _MOST_USAGES, _MOST_SUBCLASSES, _MOST_PARTS = 6, 2, 2, 3
_ENUMS = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}
_RECORDS = {"dataclass", "define", "frozen", "mutable", "attrs"}


class Classes:
    """The classes of a project, as far as its files say how their objects are made."""

    def __init__(self, project: Project, source: Path, text: str, code: str = "") -> None:
        """Classes for code that has the names of one file.

        Args:
            source: the file; ``text`` is what is in it by now.
            code: of the function that is to be called.
        """
        self._project = project
        self._source = source
        self._text = text
        self._code = code

    def made(self, name: str, depth: int = _DEPTH) -> list[Made]:
        """Ways to make an object of a class, the likeliest first; none of one that the project does not define."""
        found = self._class(name)
        if found is None or not depth:
            return []
        node, text = found
        imports = self._imports(name)
        if member := _member(node):
            return [Made(f"{name}.{member}", imports)]
        known = [*factories(name, text), *usages(name, self._project)[:_MOST_USAGES]]
        ways = [Made(code, imports) for code in known]
        if not _is_abstract(node):
            for arguments in self.arguments(self._required(node), depth - 1):
                needed = dict.fromkeys((*imports, *(one for made in arguments for one in made.imports)))
                ways.append(Made(f"{name}({', '.join(made.code for made in arguments)})", tuple(needed)))
        # What is made to be derived from may do nothing of its own.
        derived = [way for one in self._subclasses(name) for way in self.made(one, depth - 1)[:1]]
        return list(dict.fromkeys((*ways[: _MOST_WAYS - len(derived)], *derived)))

    def arguments(self, parameters: list[Parameter], depth: int = _DEPTH) -> Iterator[list[Made]]:
        """Some choices of what a call is given for parameters that it cannot do without."""
        every = [self._argument(parameter, depth) for parameter in parameters]
        for at in range(max(map(len, every), default=1)):
            yield [ways[min(at, len(ways) - 1)] for ways in every]

    def _argument(self, parameter: Parameter, depth: int) -> list[Made]:
        if not parameter.annotation:
            alike = "".join(part.capitalize() for part in parameter.name.split("_"))
            return self._of_part(alike, depth) if alike in self._texts else options("")
        found = [self._of_part(part, depth) for part in parts(self._meant(parameter.annotation))[:_MOST_PARTS]]
        # The first of each, and then what else there is.
        ways = [way for turn in zip_longest(*found) for way in turn if way is not None]
        return ways or options("")

    def _of_part(self, annotation: str, depth: int) -> list[Made]:
        """Ways to make one of what may be given."""
        if kind := re.fullmatch(r"(?:\w+\.)?[Tt]ype\[(?:\w+\.)*(\w+)\]", annotation):
            return [Made(one, self._imports(one)) for one in (*self._subclasses(kind[1]), kind[1])]
        wanted = class_in(annotation)
        if wanted in self._texts:
            return self.made(wanted, depth) or [Made("None")]
        return options(annotation, self._code)

    def _meant(self, annotation: str) -> str:
        """What stands for an annotation's name where the file gives it one of its own."""
        name = annotation.strip("'\" ")
        alias = re.search(rf"^{re.escape(name)}(?::[^=\n]*)? = (.+)$", self._text, re.MULTILINE) if name else None
        return alias[1] if alias and name not in self._texts else annotation

    @cached_property
    def _texts(self) -> dict[str, tuple[Path, str]]:
        """Class → the file that it is defined in and its text; the code's own file goes before others."""
        found: dict[str, tuple[Path, str]] = {}
        for path in (self._source, *python_files(self._project.folder)):
            text = self._text if path == self._source else self._project.workspace.read(path) or ""
            for name in re.findall(r"^class (\w+)", text, re.MULTILINE):
                found.setdefault(name, (path, text))
        return found

    @cached_property
    def _own_names(self) -> set[str]:
        """What code in the file can name: its classes, and what it imports, be it for a type checker alone."""
        try:
            body = ast.parse(self._text).body
        except (SyntaxError, ValueError):
            return set()
        inside = [*body, *(one for node in body if isinstance(node, ast.If) for one in node.body)]
        imports = (node for node in inside if isinstance(node, (ast.Import, ast.ImportFrom)))
        brought = {alias.asname or alias.name for node in imports for alias in node.names}
        return brought | {node.name for node in inside if isinstance(node, ast.ClassDef)}

    def _imports(self, name: str) -> tuple[str, ...]:
        """What brings a class into code of the file."""
        if name in self._own_names or name not in self._texts:
            return ()
        return (f"from {self._project.module(self._texts[name][0])} import {name}",)

    def _class(self, name: str) -> tuple[ast.ClassDef, str] | None:
        _, text = self._texts.get(name, (self._source, ""))
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            return None
        nodes = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
        return next(((node, text) for node in nodes), None)

    def _subclasses(self, name: str) -> list[str]:
        pattern = re.compile(rf"^class (\w+)\([^)]*\b{re.escape(name)}\b", re.MULTILINE)
        texts = dict.fromkeys(text for _, text in self._texts.values())
        return [found for text in texts for found in pattern.findall(text)][:_MOST_SUBCLASSES]

    def _required(self, node: ast.ClassDef, depth: int = _DEPTH) -> list[Parameter]:
        """What its constructor cannot do without, in order; a class that has none has that of its base."""
        own = next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
        if own is not None:
            return _required_of(own.args)
        bases = [found[0] for base in node.bases if (found := self._class(called_name(base))) and depth]
        inherited = [parameter for base in bases for parameter in self._required(base, depth - 1)]
        return inherited + (_fields(node) if _is_record(node) else [])


def _required_of(given: ast.arguments) -> list[Parameter]:
    positional = [*given.posonlyargs, *given.args]
    needed = positional[1 : len(positional) - len(given.defaults)]
    return [Parameter(one.arg, ast.unparse(one.annotation) if one.annotation else None) for one in needed]


def _fields(node: ast.ClassDef) -> list[Parameter]:
    fields = (one for one in node.body if isinstance(one, ast.AnnAssign) and one.value is None)
    return [
        Parameter(one.target.id, ast.unparse(one.annotation))
        for one in fields
        if isinstance(one.target, ast.Name) and "ClassVar" not in ast.unparse(one.annotation)
    ]


def _is_record(node: ast.ClassDef) -> bool:
    decorators = {called_name(one.func if isinstance(one, ast.Call) else one) for one in node.decorator_list}
    return bool(decorators & _RECORDS) or "NamedTuple" in map(called_name, node.bases)


def _member(node: ast.ClassDef) -> str:
    """The first member of an enumeration; empty for another class."""
    if _ENUMS.isdisjoint(map(called_name, node.bases)):
        return ""
    targets = (one.targets[0] for one in node.body if isinstance(one, ast.Assign))
    return next((t.id for t in targets if isinstance(t, ast.Name) and not t.id.startswith("_")), "")


def _is_abstract(node: ast.ClassDef) -> bool:
    methods = (one for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)))
    marked = any("abstract" in called_name(one) for method in methods for one in method.decorator_list)
    return marked or "Protocol" in map(called_name, node.bases)
