from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.candidates import Sources
from lsp_server.context.declared import Told
from lsp_server.context.members import members_at
from lsp_server.context.receiver import receiver_at
from lsp_server.context.spot import Spot
from lsp_server.syntax.snapshot import Snapshot

Files = Callable[[dict[str, str]], None]
MakeSpot = Callable[[str, str], Spot]

SHAPES = """\
from abc import ABC
from enum import Enum
from textwrap import TextWrapper
import lengths as units

LIMIT = 3

class Shape(ABC):
    def __init__(self, name):
        self.name, self._seen = name, 0
    def outline(self): ...

class Circle(Shape):
    radius: float = 1.0
    @property
    def area(self) -> float: ...
    class Part: ...

class Colour(Enum):
    RED = 1

class ShapeError(ValueError): ...

class Wrapped(TextWrapper):
    def own(self): ...

class Lazy:
    def __getattr__(self, name): ...

def unit_circle() -> Circle: ...

def circles() -> list[Circle]: ...

def shape() -> "Shape | None": ...
"""
CIRCLE = {"radius", "area", "Part", "outline", "name", "_seen", "__init__"}


@pytest.fixture
def names(files: Files, spot: MakeSpot, sources: Sources) -> Callable[[str], set[str]]:
    """The names at the bar of a file beside ``shapes.py``, less those that all objects have."""
    files({"shapes.py": SHAPES, "lengths.py": "def metres(): ...\n"})

    def at(marked: str, name: str = "main.py") -> set[str]:
        return set(members_at(spot(name, marked), sources)) - {*dir(object), "__dict__", "__module__"}

    return at


Names = Callable[..., set[str]]


@pytest.mark.parametrize(
    "text",
    [
        "x = Circle()\ny = x.|\n",
        "x = Circle(1, (2, 3))  \ny = x.ra|\n",
        "def f(x: Circle):\n    return x.|\n",
        "def f(x: 'Circle'):\n    return x.|\n",
        "def f(x: Optional[shapes.Circle]):\n    return x.|\n",
        "x = unit_circle()\ny = x.|\n",
        "y = unit_circle().|\n",
        "y = Circle(1).|\n",
        "y = Circle.|\n",
        "y = shapes.Circle.|\n",
        "class A:\n    def __init__(self):\n        self.x = Circle()\n    def f(self):\n        return self.x.|\n",
        # The nearest counts.
        "x = 3\nx = Circle()\ny = x.|\n",
    ],
)
def test_the_members_of_a_class(text: str, names: Names) -> None:
    found = names(f"from shapes import Circle, Shape, circles, unit_circle\n{text}")
    assert found - {"__name__", "__qualname__"} == CIRCLE - {"__init__"}


@pytest.mark.parametrize(("declared", "told"), [("Circle | None", "Circle"), ("a.Circle", "Circle"), ("A | B", "")])
def test_which_type_a_declaration_tells(declared: str, told: str, root: Path) -> None:
    text = f"def f(x: {declared}):\n    return x."
    receiver = receiver_at(Spot(Snapshot.open(text, "python"), len(text), root / "a.py"))
    assert receiver
    assert receiver.told == (Told(told) if told else None)


@pytest.mark.parametrize(
    "text",
    [
        "y = x.|\n",
        "x = circles()\ny = x.|\n",
        "x = Circle() if a else 3\ny = x.|\n",
        "x = Circle().area\ny = x.|\n",
        "x = [Circle()]\ny = x.|\n",
        "def f(x: list[Circle]):\n    return x.|\n",
        "def f(x: Union[Circle, Colour]):\n    return x.|\n",
        "x = Circle()\nx = load(a)\ny = x.|\n",
        "x = Circle()\ny = other.x.|\n",
        "y = a[0].|\n",
        "y = 1.|\n",
        "y = circle|\n",
        "x = Wrapped()\ny = x.|\n",
        "x = Lazy()\ny = x.|\n",
        # What an object does not have yet.
        "class A:\n    def __init__(self):\n        self.|\n",
        "def f(self):\n    return self.|\n",
        "class A(Unknown):\n    def f(self):\n        return self.|\n",
    ],
)
def test_where_nobody_can_tell(text: str, names: Names) -> None:
    assert not names(f"from shapes import Circle, Colour, Lazy, Wrapped, circles\n{text}")


def test_the_own_class_with_what_is_asked_of_it(names: Names) -> None:
    text = "class A:\n    at = 1\n    def f(self):\n        self.b = self.mixed_in\n        return self.be|\n"
    assert names(text) - {"__name__", "__qualname__"} == {"at", "f", "b", "mixed_in"}


def test_a_class_of_the_same_name_elsewhere_is_not_meant(names: Names) -> None:
    text = "import textwrap\nclass TextWrapper(textwrap.TextWrapper):\n    def f(self):\n        return self.|\n"
    assert not names(text)


def test_a_base_is_of_the_file_that_names_it(names: Names, files: Files) -> None:
    files(
        {"trees.py": "class Node:\n    def leaf(self): ...\nclass Tree(Node): ...\n", "graphs.py": "class Node: ...\n"}
    )
    text = "from trees import Tree\nclass Node:\n    def other(self): ...\n\nx = Tree()\ny = x.|\n"
    assert names(text) - {"__name__", "__qualname__"} == {"leaf"}


def test_a_class_that_two_imported_files_have_is_open(names: Names, files: Files) -> None:
    files({"a.py": "class Node:\n    def f(self): ...\n", "b.py": "class Node:\n    def g(self): ...\n"})
    assert not names("from a import *\nfrom b import *\nx = Node()\ny = x.|\n")


@pytest.mark.parametrize(("owner", "expected"), [("Colour", {"RED", "name", "value"}), ("ShapeError", {"args"})])
def test_bases_that_everybody_knows(owner: str, expected: set[str], names: Names) -> None:
    assert expected <= names(f"from shapes import {owner}\nx = {owner}.|\n")


def test_the_names_of_a_module(names: Names, files: Files) -> None:
    of_shapes = {"ABC", "Enum", "TextWrapper", "units", "LIMIT", "Shape", "Circle", "Colour", "unit_circle", "circles"}
    assert of_shapes <= names("import shapes\nx = shapes.|\n")
    files({"every.py": "from shapes import *\n", "any.py": "from os.path import *\n"})
    assert {"Circle", "LIMIT"} <= names("import every\nx = every.|\n")
    assert not names("import any\nx = any.|\n")
    assert not names("import os\nx = os.|\n")


def test_typescript(names: Names, files: Files) -> None:
    files(
        {"shop.ts": "export class Base { id = 1; }\nexport class Room extends Base {\n  area: number;\n  f() {}\n}\n"}
    )
    imported = 'import { Room } from "./shop";\n'
    assert names(f"{imported}function f(room: Room) {{ return room.| }}\n", "main.ts") == {"id", "area", "f"}
    assert names(f"{imported}const room = new Room();\nconst y = room.|;\n", "main.ts") == {"id", "area", "f"}
    assert not names(f"{imported}function f(rooms: Room[]) {{ return rooms.| }}\n", "main.ts")


def test_a_language_whose_classes_do_not_tell(names: Names) -> None:
    assert not names("class A\n  def f\n    self.|\n  end\nend\n", "main.rb")
