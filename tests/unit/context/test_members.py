from __future__ import annotations

import abc
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.candidates import Sources
from lsp_server.context.files import FileCache
from lsp_server.context.index.builder import build
from lsp_server.context.index.order import Order
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.context.members import Members
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

class Gone(OSError): ...

class Wrapped(TextWrapper):
    def own(self): ...

class Lazy:
    def __getattr__(self, name): ...

def unit_circle() -> Circle: ...

async def later() -> Circle: ...

def circles() -> list[Circle]: ...

def shape() -> "Shape | None": ...
"""
MODULE = {"__file__", "__path__", "__spec__", "__version__", "__all__"}
CIRCLE = {"radius", "area", "Part", "outline", "name", "_seen", "__init__"}


@pytest.fixture
def names(files: Files, spot: MakeSpot, sources: Sources) -> Callable[[str], set[str]]:
    """The names at the bar of a file beside ``shapes.py``, less those that all have."""
    files({"shapes.py": SHAPES, "lengths.py": "def metres(): ...\n"})

    def at(marked: str, name: str = "main.py") -> set[str]:
        return set(Members(spot(name, marked), sources).at_cursor()) - ALL - MODULE

    return at


Names = Callable[..., set[str]]
ALL = {
    *dir(object),
    *dir(type),
    "__dict__",
    "__annotations__",
    "__cause__",
    "__context__",
    "__traceback__",
    *dir(abc.ABCMeta),
    "_abc_impl",
}


@pytest.mark.parametrize(
    "text",
    [
        "x = Circle()\ny = x.|\n",
        "x = Circle(1, (2, 3))  # it\ny = x.ra|\n",
        "def f(x: Circle):\n    return x.|\n",
        "def f(x: 'Circle'):\n    return x.|\n",
        "def f(x: Optional[Circle] = None, y=1):\n    return x.|\n",
        "def f(x: shapes.Circle):\n    return x.|\n",
        "x = unit_circle()\ny = x.|\n",
        "x = shapes.unit_circle()\ny = x.|\n",
        "y = unit_circle().|\n",
        "y = Circle(1).|\n",
        "y = shapes.Circle(1).|\n",
        "y = Circle.|\n",
        "y = shapes.Circle.|\n",
        "class A:\n    def __init__(self):\n        self.x = Circle()\n    def f(self):\n        return self.x.|\n",
        "class A:\n    def __init__(self):\n        self.x: Circle = None\n    def f(self):\n        y = self.x.|\n",
        "def f(x: Circle):\n    x: Circle = Circle()\n    y = x.|\n",
        "def f():\n    z = g(x=3)\n    x = Circle()\n    return [x.|]\n",
        "@dataclass(frozen=True)\nclass A(Circle):\n    def f(self): ...\n\nx = A()\ny = x.|\n",
    ],
)
def test_the_members_of_a_class(text: str, names: Names) -> None:
    found = names(f"import shapes\nfrom shapes import Circle, Shape, circles, unit_circle\n{text}")
    assert found >= CIRCLE - {"__init__"}
    # A few more do no harm, but those of others.
    assert not found & {"RED", "own", "metres", "args"}


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
        "y = other.x.|\n",
        "y = a[0].|\n",
        "y = 1.|\n",
        "y = circle|\n",
        "x = Wrapped()\ny = x.|\n",
        "x = Lazy()\ny = x.|\n",
        # It is given something else.
        "x = Circle()\nx = load(a)\ny = x.|\n",
        "x = 3\nx = Circle()\ny = x.|\n",
        "x = Circle()\n(z, x) = q\ny = x.|\n",
        "x = Circle()\nfor x in q:\n    y = x.|\n",
        "x = Circle()\nwith open(x) as x:\n    y = x.|\n",
        "x = Circle()\nx += 1\ny = x.|\n",
        "x = Circle()\ny = [x.| for x in q]\n",
        "x = Circle()\ny = f(key=lambda x: x.|)\n",
        "if a:\n    x = Circle()\nelse:\n    x = Colour()\ny = x.|\n",
        "def f(x: Shape):\n    if isinstance(x, Circle):\n        return x.|\n",
        # It is another one's.
        "class A:\n    def f(self, x: Circle): ...\n    def g(self, x):\n        return x.|\n",
        "def f(x: Circle):\n    def g(x):\n        return x.|\n",
        "def f(*x: Circle):\n    return x.|\n",
        "def f(**x: Circle):\n    return x.|\n",
        "def f(shapes):\n    return shapes.|\n",
        "def f(a):\n    shapes = [a]\n    return shapes.|\n",
        "Circle = wrap(Circle)\ny = Circle.|\n",
        "y = Circle\nx = load(3)\ny = x.|\n",
        "z = requests.unit_circle()\ny = z.|\n",
        "x = later()\ny = x.|\n",
        # What an object does not have yet.
        "class A:\n    def __init__(self):\n        self.|\n",
        "class A:\n    def __init__(self):\n        self.a, self.|\n",
        "class A:\n    def f(self):\n        with a as self.|\n",
        "def f(self):\n    return self.|\n",
        "class A(Unknown):\n    def f(self):\n        return self.|\n",
        "class A(metaclass=Meta):\n    def f(self):\n        return self.|\n",
        "@register(name='x')\nclass A:\n    def f(self):\n        return self.|\n",
        "class A:\n    def f(self, **kw):\n        self.__dict__.update(kw)\n        return self.|\n",
        "class A:\n    def f(self, **kw):\n        setattr(self, 'a', 1)\n        return self.|\n",
        "class A:\n    def f(self):\n        def g(self):\n            return self.|\n",
        # A second review's.
        "class A:\n    def add(self, cls):\n        x = cls.|\n",
        "class A:\n    def add(self):\n        def wrap(cls):\n            x = cls.|\n",
        "class A:\n    def add(self):\n        for cls in self.b:\n            x = cls.|\n",
        "class A:\n    @staticmethod\n    def add(cls):\n        x = cls.|\n",
        "class A:\n    def add(self):\n        self = self.b\n        x = self.|\n",
        "class A:\n    def add(self):\n        x = self(1).|\n",
        "class AMixin:\n    def add(self):\n        x = self.|\n",
        "class A(dict):\n    __getattr__ = dict.get\n    def f(self):\n        x = self.|\n",
        "class A:\n    def f(self):\n        object.__setattr__(self, 'a', 1)\n        x = self.|\n",
        "class A:\n    def __new__(cls, k):\n        return R[k]\n    def f(self):\n        x = self.|\n",
        "class A(type):\n    def f(cls):\n        x = cls.|\n",
        "x = Circle()\nwhile x:\n    y = x.|\n    x = Colour()\n",
        "x: Shape = Circle()\ny = x.|\n",
        "def f():\n    x: Shape\n    x = Circle()\n    y = x.|\n",
        "x = Circle()\nz = x = Colour()\ny = x.|\n",
        "class A:\n    x: Shape\n    def f(self):\n        self.x = Circle()\n        y = self.x.|\n",
        "def f(\n    x: Circle,\n): ...\nx = load()\ny = x.|\n",
        "class A:\n    x: Circle\n\nx = load()\ny = x.|\n",
        "def f(  # note\n    shapes,\n):\n    y = shapes.|\n",
        "for shapes in q: ...\ndef f():\n    y = shapes.|\n",
        "def f(a):\n    match a:\n        case shapes:\n            y = shapes.|\n",
        "def f(x: Shape):\n    if is_circle(x):\n        y = x.|\n",
        # No code.
        "# see Circle.|\n",
        "from shapes.|\n",
    ],
)
def test_where_nobody_can_tell(text: str, names: Names) -> None:
    imports = (
        "import requests\nimport shapes\nfrom shapes import Circle, Colour, Lazy, Shape, Wrapped, circles, later\n"
    )
    assert not names(f"{imports}{text}")


@pytest.mark.parametrize(
    "text",
    [
        "from pathlib import Circle\nx = Circle()\ny = x.|\n",
        "import pathlib\nx = pathlib.Circle()\ny = x.|\n",
        "x = Circle()\ny = x.|\n",
        "from other import Shape as Circle\nx = Circle()\ny = x.|\n",
        "try:\n    from lib import Circle\nexcept E:\n    from shapes import Circle\nx = Circle()\ny = x.|\n",
        "from nowhere import *\nx = Circle()\ny = x.|\n",
    ],
)
def test_a_class_that_only_has_that_name_is_not_meant(text: str, names: Names) -> None:
    assert not names(text)


def test_the_own_class_with_what_is_asked_of_it(names: Names) -> None:
    text = (
        "class A:\n    at = other = 1\n    a, b = 1, 2\n    if at:\n        c = 3\n"
        "    def f(self):\n        self.d = self.mixed_in\n        return self.be|\n"
        "    @classmethod\n    def g(cls):\n        cls.e = 1\n"
    )
    assert names(text) == {"at", "other", "a", "b", "c", "f", "d", "mixed_in", "g", "e"}


def test_what_others_give_an_object_counts_as_its_own(names: Names, files: Files) -> None:
    files({"a.py": "class A:\n    b = 1\n\nA.ZERO = A()\n\ndef make():\n    a = A()\n    a.late = 1\n    return a\n"})
    assert names("from a import A\nx = A()\ny = x.|\n") >= {"b", "ZERO", "late"}


def test_a_class_of_the_same_name_elsewhere_is_not_meant(names: Names) -> None:
    text = "import textwrap\nclass TextWrapper(textwrap.TextWrapper):\n    def f(self):\n        return self.|\n"
    assert not names(text)


def test_a_base_is_of_the_file_that_names_it(names: Names, files: Files) -> None:
    files(
        {"trees.py": "class Node:\n    def leaf(self): ...\nclass Tree(Node): ...\n", "graphs.py": "class Node: ...\n"}
    )
    text = "from trees import Tree\nclass Node:\n    def other(self): ...\n\nx = Tree()\ny = x.|\n"
    assert names(text) == {"leaf"}


def test_a_class_that_a_package_passes_on(names: Names, files: Files) -> None:
    files(
        {
            "pkg/__init__.py": "from .node import Node as Public\n",
            "pkg/node.py": "class Node:\n    def leaf(self): ...\n",
        }
    )
    files({"a.py": "class Public:\n    def other(self): ...\ndef helper(): ...\n"})
    assert names("from a import helper\nfrom pkg import Public\nx = Public()\ny = x.|\n") == {"leaf"}


def test_a_class_that_two_imported_files_have_is_open(names: Names, files: Files) -> None:
    files({"a.py": "class Node:\n    def f(self): ...\n", "b.py": "class Node:\n    def g(self): ...\n"})
    assert not names("from a import *\nfrom b import *\nx = Node()\ny = x.|\n")


@pytest.mark.parametrize(
    ("owner", "expected"),
    [("Colour", {"RED", "name", "value"}), ("ShapeError", {"args", "add_note"}), ("Gone", {"errno", "filename"})],
)
def test_bases_that_everybody_knows(owner: str, expected: set[str], names: Names) -> None:
    if sys.version_info < (3, 11):
        expected = expected - {"add_note"}
    assert expected <= names(f"from shapes import {owner}\nx = {owner}.|\n")


def test_the_names_of_a_module(names: Names, files: Files) -> None:
    of_shapes = {"ABC", "Enum", "TextWrapper", "units", "LIMIT", "Shape", "Circle", "Colour", "unit_circle", "circles"}
    assert of_shapes <= names("import shapes\nx = shapes.|\n")
    assert of_shapes <= names("import shapes as s\ndef f():\n    return s.|\n")
    files({"every.py": "from shapes import *\nif LIMIT:\n    a, b = 1, 2\n", "any.py": "from os.path import *\n"})
    assert {"Circle", "LIMIT", "a", "b"} <= names("import every\nx = every.|\n")
    assert not names("import any\nx = any.|\n")
    assert not names("import os\nx = os.|\n")
    files({"other.py": "if a:\n    def __getattr__(name): ...\n"})
    assert not names("import other\nx = other.|\n")
    files({"lazy.py": "def __getattr__(name): ...\n", "pkg/__init__.py": "V = 1\n", "pkg/part.py": "def g(): ...\n"})
    assert not names("import lazy\nx = lazy.|\n")
    assert {"V", "part"} <= names("import pkg\nx = pkg.|\n")
    files({"many/__init__.py": "from .a import (\n    Foo,\n    bar as baz,\n)\nfrom .conf import conf\n"})
    files({"many/a.py": "class Foo: ...\nbar = 1\n", "many/conf.py": "class C: ...\nconf = C()\n"})
    assert {"Foo", "baz", "conf", "a"} <= names("import many\nx = many.|\n")
    assert not names("from many import conf\nx = conf.|\n")
    assert "g" in names("from pkg import part\nx = part.|\n")
    assert "g" not in names("import pkg.part\nx = part.|\n")


def test_a_language_whose_names_are_not_told(names: Names) -> None:
    assert not names("class A\n  def f\n    self.|\n  end\nend\n", "main.rb")


@pytest.fixture
def known(files: Files, spot: MakeSpot, sources: Sources) -> Callable[[str], dict[str, set[str]]]:
    """The names that are told around the bar of a file beside ``shapes.py``, by what they are behind."""
    files({"shapes.py": SHAPES, "lengths.py": "def metres(): ...\n"})

    def around(marked: str) -> dict[str, set[str]]:
        found = Members(spot("main.py", marked), sources).around()
        assert {one.of for one in found if one.may_be_new} <= {"self", "cls", "super"}
        return {one.of: set(one.names) - ALL for one in found}

    return around


def test_what_is_known_around_a_cursor(known: Callable[[str], dict[str, set[str]]]) -> None:
    found = known(
        "import lengths\nimport shapes\nfrom shapes import Circle, Colour, Shape\n\n"
        "class Page:\n    def draw(self, first: Shape, other):\n"
        "        x = Circle(1)\n        y = Circle(2)\n        y = load(x)\n        for x2 in other: ...\n"
        "        lengths.metres(Colour.RED)\n        |\n"
    )
    assert found.keys() == {"self", "super", "first", "x", "lengths", "Circle", "Colour", "Shape"}
    assert {"radius", "outline"} <= found["x"]
    assert "radius" not in found["first"]
    assert found["self"] == {"draw"}
    assert "metres" in found["lengths"]


def test_outside_of_functions_the_imports_are_known(known: Callable[[str], dict[str, set[str]]]) -> None:
    found = known("import lengths\nfrom shapes import Colour\nx: Colour = Colour(lengths.LONG)\n|\n")
    assert found.keys() == {"lengths", "Colour", "x"}


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
    found = Members(there, Sources(workspace, index, RecentChunks(), FileCache())).at_cursor()
    index.close()
    assert {"first", "second"} <= set(found)


def test_very_many_names_are_not_told(names: Names) -> None:
    assert names("class A:\n    b = 1\n    def f(self):\n        return self.|\n")
    many = "".join(f"        x = self.name_{n}\n" for n in range(700))
    assert not names(f"class A:\n    b = 1\n    def f(self):\n{many}        return self.|\n")
    assert not names(f"class A:\n    {'b' * 101} = 1\n    def f(self):\n        return self.|\n")
