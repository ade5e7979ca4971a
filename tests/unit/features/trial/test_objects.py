from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.context.workspace import Workspace
from lsp_server.features.trial.objects import Objects
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
def objects(tmp_path: Path) -> Objects:
    (tmp_path / "src" / "pack").mkdir(parents=True)
    core, own = (tmp_path / "src" / "pack" / f"{name}.py" for name in ("core", "own"))
    core.write_text(CORE, encoding="utf-8")
    own.write_text("class Other: ...\n", encoding="utf-8")
    (tmp_path / "main.py").write_text("from pack.core import Used\n\nprint(Used(40))\n", encoding="utf-8")
    (tmp_path / "broken.py").write_text("class Broken(\n", encoding="utf-8")
    return Objects(Project(tmp_path, tmp_path, Workspace((tmp_path,), lambda _path: None)), own, OWN, "")


def ways(objects: Objects, name: str) -> list[str]:
    return [made.code for made in objects.made(name)]


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
def test_ways_to_make_an_object(objects: Objects, name: str, expected: list[str]) -> None:
    assert ways(objects, name) == expected


def test_what_the_file_cannot_name_is_imported(objects: Objects) -> None:
    assert objects.made("Command") == [Made("Command('a b')")]
    assert objects.made("Level") == [Made("Level.LOW", ("from pack.core import Level",))]
    assert objects.made("Context")[0].imports == ("from pack.core import Point",)
    # Of an abstract class only the one that is made is needed.
    assert objects.made("Shape")[0].imports == ("from pack.core import Square",)


def test_what_a_call_is_given(objects: Objects) -> None:
    given = [Parameter("target", "Target"), Parameter("count", "int"), Parameter("what")]
    found = [[made.code for made in choice] for choice in objects.arguments(given)]
    assert found == [["Command('a b')", "2", what] for what in ("'a b'", "2", "[1, 2]")]
    either = [*objects.arguments([Parameter("shape", "str | type[Shape] | None")])]
    needed = [(f"from pack.core import {name}",) for name in ("Square", "Shape")]
    assert either == [[Made("'a b'")], [Made("Square", needed[0])], [Made("Shape", needed[1])]]
    assert list(objects.arguments([])) == [[]]


def test_of_classes_of_one_name_the_one_that_is_meant(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    for name, given in (("models", "id: int"), ("schemas", "name: str"), ("other", "")):
        text = f"class User:\n    def __init__(self, {given}): ...\n"
        (tmp_path / "app" / f"{name}.py").write_text(text, encoding="utf-8")
    project = Project(tmp_path, tmp_path, Workspace((tmp_path,), lambda _path: None))

    def ways(name: str, text: str) -> list[Made]:
        return Objects(project, tmp_path / "app" / "own.py", text, "").made(name)

    assert ways("schemas.User", "from app import schemas\n") == [Made("schemas.User('a b')")]
    assert ways("s.User", "import app.schemas as s\n") == [Made("s.User('a b')")]
    assert ways("User", "from .models import User\n") == [Made("User(2)")]
    assert ways("models.User", "") == [Made("User(2)", ("from app.models import User",))]
    # There is no telling which.
    assert ways("User", "") == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("class A:\n    def __init__(self, a: int, *, b: str, c=1): ...", "A(2, b='a b')"),
        ("@dataclass(kw_only=True)\nclass A:\n    a: int", "A(a=2)"),
        ("@dataclass\nclass A:\n    a: int = field()\n    b: int = field(default=1)\n    c: int = 3", "A(2)"),
        ("class B:\n    def __init__(self, a: int): ...\n\nclass A(B, Generic[T]): ...", "A(2)"),
        ("class B(Base[T]):\n    def __init__(self, a: int): ...\n\nclass A(B[int]): ...", "A(2)"),
        ("class A(NamedTuple):\n    a: int\n    b: str = ''", "A(2)"),
    ],
)
def test_what_constructors_need(tmp_path: Path, code: str, expected: str) -> None:
    project = Project(tmp_path, tmp_path, Workspace((tmp_path,), lambda _path: None))
    assert Objects(project, tmp_path / "own.py", code, "").made("A")[0] == Made(expected)
