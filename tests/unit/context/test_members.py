from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.candidates import Sources
from lsp_server.context.declared import Told
from lsp_server.context.files import FileCache
from lsp_server.context.index.builder import build
from lsp_server.context.index.order import Order
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.context.members import members_around, members_at
from lsp_server.context.receiver import receiver_at
from lsp_server.context.ring import RecentChunks
from lsp_server.context.spot import Spot
from lsp_server.context.workspace import Workspace
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


@pytest.fixture
def known(files: Files, spot: MakeSpot, sources: Sources) -> Callable[[str], dict[str, set[str]]]:
    """The names that are told around the bar of a file beside ``shapes.py``, by what they are behind."""
    files({"shapes.py": SHAPES, "lengths.py": "def metres(): ...\n"})

    def around(marked: str) -> dict[str, set[str]]:
        found = members_around(spot("main.py", marked), sources)
        assert {one.of for one in found if one.may_be_new} <= {"self", "cls", "super"}
        return {one.of: set(one.names) - set(dir(object)) for one in found}

    return around


def test_what_is_known_around_a_cursor(known: Callable[[str], dict[str, set[str]]]) -> None:
    found = known(
        "import lengths\nimport shapes\nfrom shapes import Circle, Colour, Shape\n\n"
        "class Page:\n    def draw(self, first: Shape, other):\n"
        "        x = Circle(1)\n        y = Circle(2)\n        y = load(x)\n        for x2 in other: ...\n"
        "        lengths.metres(Colour.RED)\n        |\n"
    )
    assert found.keys() == {"self", "cls", "super", "first", "x", "lengths", "Circle", "Colour", "Shape"}
    assert {"radius", "outline"} <= found["x"]
    assert "radius" not in found["first"]
    assert found["self"] - {"__dict__", "__module__", "__name__", "__qualname__"} == {"draw"}
    assert "metres" in found["lengths"]


def test_outside_of_functions_the_imports_are_known(known: Callable[[str], dict[str, set[str]]]) -> None:
    assert known("import lengths\nfrom shapes import Colour\nx: Colour = load()\n|\n").keys() == {"lengths", "Colour"}


def test_another_languages_own_names_are_names_like_others(names: Names) -> None:
    text = "from shapes import Circle\nclass A:\n    def f(self, base: Circle):\n        return base.|\n"
    assert "radius" in names(text)
    assert "f" not in names(text)


def test_half_a_line_does_not_hide_what_the_file_had(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("class A:\n    def first(self):\n        return 1\n\n    def second(self): ...\n")
    index = WorkspaceIndex(tmp_path / "cache")
    index.set_roots([tmp_path])
    build(tmp_path, index.database_of(tmp_path), Order())
    broken = "class A:\n    def first(self):\n        x = (self.\n"
    snapshot = Snapshot.open(broken, "python")
    index.update(path, snapshot)
    workspace = Workspace((tmp_path,), lambda _path: None)
    there = Spot(snapshot, len(broken) - 1, path)
    found = members_at(there, Sources(workspace, index, RecentChunks(), FileCache()))
    index.close()
    assert {"first", "second"} <= set(found)


def test_very_many_names_are_not_told(names: Names) -> None:
    assert names("class A:\n    b = 1\n    def f(self):\n        return self.|\n")
    many = "".join(f"        x = self.name_{n}\n" for n in range(700))
    assert not names(f"class A:\n    b = 1\n    def f(self):\n{many}        return self.|\n")
    assert not names(f"class A:\n    {'b' * 101} = 1\n    def f(self):\n        return self.|\n")
