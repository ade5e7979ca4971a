"""How objects of a project's own classes are made: with what their constructors ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from lsp_server.features.trial.classes import Definition, Definitions
from lsp_server.features.trial.plain_values import Made, class_in, options, parts
from lsp_server.features.trial.usages import factories, usages
from lsp_server.syntax.scopes import Parameter
from lsp_server.testing.project import Project

# An object may need another one, and so on.
_DEPTH = 3
_MOST_WAYS, _MOST_USAGES, _MOST_PARTS = 6, 2, 3


class Objects:
    """Makes objects for a function that is to be called, as far as the files of its project say how."""

    def __init__(self, project: Project, source: Path, text: str, code: str) -> None:
        """Objects for code that has the names of one file.

        Args:
            source: the file; ``text`` is what is in it by now.
            code: of the function that is to be called.
        """
        self._project = project
        self._text = text
        self._code = code
        self._classes = Definitions(project, source, text)
        self._known: dict[tuple[str, int], list[Made]] = {}

    def made(self, name: str, depth: int = _DEPTH) -> list[Made]:
        """Ways to make an object of a class, the likeliest first; none of one that the project does not define."""
        if (name, depth) not in self._known:
            found = self._classes.find(name)
            self._known[name, depth] = self._ways(found, name, depth) if found and depth else []
        return self._known[name, depth]

    def _ways(self, definition: Definition, name: str, depth: int) -> list[Made]:
        said, imports = self._classes.said(definition, name)
        if definition.member:
            return [Made(f"{said}.{definition.member}", imports)]
        known = [*factories(definition.name, definition.text), *usages(definition.name, self._project)[:_MOST_USAGES]]
        ways = [Made(said + code.removeprefix(definition.name), imports) for code in known]
        needed = self._classes.needed(definition)
        for choice in () if definition.is_abstract else self.arguments([one.parameter for one in needed], depth - 1):
            given = [
                f"{one.parameter.name}={made.code}" if one.by_name else made.code
                for one, made in zip(needed, choice, strict=True)
            ]
            brought = dict.fromkeys((*imports, *(one for made in choice for one in made.imports)))
            ways.append(Made(f"{said}({', '.join(given)})", tuple(brought)))
        # What is made to be derived from may do nothing of its own.
        derived = [way for one in self._classes.derived(definition) for way in self._ways_of_derived(one, depth)]
        return list(dict.fromkeys((*ways[: _MOST_WAYS - len(derived)], *derived)))

    def _ways_of_derived(self, definition: Definition, depth: int) -> list[Made]:
        return self._ways(definition, definition.name, depth - 1)[:1] if depth > 1 else []

    def arguments(self, parameters: Sequence[Parameter], depth: int = _DEPTH) -> Iterator[list[Made]]:
        """Some choices of what a call is given for parameters that it cannot do without."""
        every = [self._argument(parameter, depth) for parameter in parameters]
        for at in range(max(map(len, every), default=1)):
            yield [ways[min(at, len(ways) - 1)] for ways in every]

    def _argument(self, parameter: Parameter, depth: int) -> list[Made]:
        if not parameter.annotation:
            alike = "".join(part.capitalize() for part in parameter.name.split("_"))
            return self._of_part(alike, depth) if self._classes.find(alike) else options("")
        found = [self._of_part(part, depth) for part in parts(self._meant(parameter.annotation))[:_MOST_PARTS]]
        # The first of each, and then what else there is.
        ways = [way for turn in zip_longest(*found) for way in turn if way is not None]
        return ways or options("")

    def _of_part(self, annotation: str, depth: int) -> list[Made]:
        """Ways to make one of what may be given."""
        kind = re.fullmatch(r"(?:\w+\.)?[Tt]ype\[([\w.]+)\]", annotation)
        found = self._classes.find(kind[1] if kind else annotation) if kind or class_in(annotation) else None
        if found is None:
            return options(annotation, self._code)
        if kind:
            said = [*((one, one.name) for one in self._classes.derived(found)), (found, kind[1])]
            return [Made(*self._classes.said(*one)) for one in said]
        return self.made(annotation, depth) or [Made("None")]

    def _meant(self, annotation: str) -> str:
        """What stands for an annotation's name where the file gives it one of its own."""
        name = annotation.strip("'\" ")
        alias = re.search(rf"^{re.escape(name)}(?::[^=\n]*)? = (.+)$", self._text, re.MULTILINE) if name else None
        return alias[1] if alias and self._classes.find(name) is None else annotation
