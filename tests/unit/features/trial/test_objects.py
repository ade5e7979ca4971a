from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.context.workspace import Workspace
from lsp_server.features.trial.objects import Classes
from lsp_server.features.trial.plain_values import Made
from lsp_server.syntax.scopes import Parameter
from lsp_server.testing.project import Project

CORE = """\
import abc
import enum
from dataclasses import dataclass, field
from typing import ClassVar


class Level(enum.Enum):
    _ignore_ = ()
    LOW = 1
    HIGH = 2


@dataclass(frozen=True)
class Point:
    x: int
    name: str
    seen: ClassVar[int]
    tags: list[str] = field(default_factory=list)


class Named(Point):
    pass


class Command:
    def __init__(self, name: "str | None", level: Level = Level.LOW, *rest, last=1):
        self.name = name


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...


class Square(Shape):
    def __init__(self, side: float):
        self.side = side


class Anything:
    def __init__(self, what, command): ...


class Circle:
    def __init__(self, other: "Circle"): ...


class Empty: ...


class Used:
    def __init__(self, size): ...


    @classmethod
    def shared(cls):
        return cls(1)
"""
OWN = """\
from __future__ import annotations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pack.core import Command

Target = Optional["Command"]


class Context:
    def __init__(self, command: Command, point: Point, other: str = ""): ...
"""


@pytest.fixture
def classes(tmp_path: Path) -> Classes:
    (tmp_path / "src" / "pack").mkdir(parents=True)
    core, own = (tmp_path / "src" / "pack" / f"{name}.py" for name in ("core", "own"))
    core.write_text(CORE, encoding="utf-8")
    own.write_text("class Other: ...\n", encoding="utf-8")
    (tmp_path / "main.py").write_text("from pack.core import Used\n\nprint(Used(40))\n", encoding="utf-8")
    (tmp_path / "broken.py").write_text("class Broken(\n", encoding="utf-8")
    return Classes(Project(tmp_path, tmp_path, Workspace((tmp_path,), lambda _path: None)), own, OWN)


def ways(classes: Classes, name: str) -> list[str]:
    return [made.code for made in classes.made(name)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Level", ["Level.LOW"]),
        ("Point", ["Point(2, 'a b')", "Named(2, 'a b')"]),
        ("Named", ["Named(2, 'a b')"]),
        ("Command", ["Command('a b')"]),
        ("Shape", ["Square(1.5)"]),
        ("Empty", ["Empty()"]),
        ("Circle", ["Circle(Circle(Circle(None)))"]),
        ("Used", ["Used.shared()", "Used(40)", "Used('a b')", "Used(2)", "Used([1, 2])"]),
        ("Context", [f"Context(Command('a b'), {point}(2, 'a b'))" for point in ("Point", "Named")]),
        # What has the name of a class is taken for one of it.
        ("Anything", [f"Anything({what}, Command('a b'))" for what in ("'a b'", "2", "[1, 2]")]),
        ("Broken", []),
        ("Missing", []),
    ],
)
def test_ways_to_make_an_object(classes: Classes, name: str, expected: list[str]) -> None:
    assert ways(classes, name) == expected


def test_what_the_file_cannot_name_is_imported(classes: Classes) -> None:
    assert classes.made("Command") == [Made("Command('a b')")]
    assert classes.made("Level") == [Made("Level.LOW", ("from pack.core import Level",))]
    assert classes.made("Context")[0].imports == ("from pack.core import Point",)
    # Of an abstract class only the one that is made is needed.
    assert classes.made("Shape")[0].imports == ("from pack.core import Square",)


def test_what_a_call_is_given(classes: Classes) -> None:
    given = [Parameter("target", "Target"), Parameter("count", "int"), Parameter("what")]
    found = [[made.code for made in choice] for choice in classes.arguments(given)]
    assert found == [["Command('a b')", "2", what] for what in ("'a b'", "2", "[1, 2]")]
    either = [*classes.arguments([Parameter("shape", "str | type[Shape] | None")])]
    needed = [(f"from pack.core import {name}",) for name in ("Square", "Shape")]
    assert either == [[Made("'a b'")], [Made("Square", needed[0])], [Made("Shape", needed[1])]]
    assert list(classes.arguments([])) == [[]]
