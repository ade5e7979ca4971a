from __future__ import annotations

from collections.abc import Callable

import pytest

from lsp_server.context.candidates import Sources
from lsp_server.context.receiver import receiver_at
from lsp_server.context.spot import Spot
from lsp_server.context.used_symbols import used_symbols

Files = Callable[[dict[str, str]], None]
MakeSpot = Callable[[str, str], Spot]

SHAPES = """\
class Shape:
    def outline(self): ...

class Circle(Shape):
    def __init__(self, radius: Length): ...
    def area(self): ...
    def _hidden(self): ...

class Length: ...

def unit_circle() -> Circle: ...

def unrelated(): ...
"""


def scores(spot: Spot, sources: Sources) -> dict[str, float]:
    """Names with what they weigh; members as ``Class.member``."""
    found = used_symbols(spot, sources)
    named = [(c.symbol, c.score) for c in found if c.symbol]
    return {f"{s.container}.{s.name}" if s.container else s.name: score for s, score in named}


def test_an_imported_name_that_is_used_comes_first(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shapes.py": SHAPES})
    found = scores(spot("main.py", "from shapes import Circle, unit_circle\n\nc = unit_circle()\n|\n"), sources)
    assert found["unit_circle"] > found["Circle"] > found["Circle.area"] > found["Circle._hidden"]
    assert "unrelated" not in found


def test_a_member_that_is_used_weighs_more_than_its_sisters(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shapes.py": SHAPES + "\nclass Square:\n    def area(self): ...\n    def side(self): ...\n"})
    found = scores(spot("main.py", "from shapes import Square\nx.area()\ny = |\n"), sources)
    assert found["Square.area"] > found["Square.side"]


def test_of_a_module_imported_whole_what_is_used_comes_first(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shapes.py": SHAPES})
    found = scores(spot("main.py", "import shapes\n\nx = shapes.unit_circle(|)\n"), sources)
    assert found["unit_circle"] > 2 * found["unrelated"]


def test_a_name_that_a_package_passes_on_is_found_where_it_is(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"pkg/__init__.py": "from .shapes import Circle\n", "pkg/shapes.py": SHAPES})
    assert "Circle.area" in scores(spot("main.py", "from pkg import Circle\nx = Circle(|)\n"), sources)


@pytest.mark.parametrize(
    ("package", "inner"),
    [
        ("from .sub import *\n", "from .shapes import Circle\n"),
        ("from .sub import Circle\n", "from .shapes import *\n"),
    ],
)
def test_a_name_is_found_that_is_passed_on_twice(
    package: str, inner: str, files: Files, spot: MakeSpot, sources: Sources
) -> None:
    files({"pkg/__init__.py": package, "pkg/sub/__init__.py": inner, "pkg/sub/shapes.py": SHAPES})
    found = scores(spot("main.py", "from pkg import Circle\nx = Circle(|)\n"), sources)
    assert found["Circle"] == 1
    assert "Circle.area" in found


def test_files_that_pass_a_name_on_to_each_other_are_no_trap(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"a.py": "from b import *\n", "b.py": "from a import *\n"})
    assert scores(spot("main.py", "from a import Circle\nx = Circle(|)\n"), sources) == {}


@pytest.mark.parametrize(
    "barrel",
    [f"export {what} from './circle';" for what in ("{ Circle }", "*", "{ default as Circle }", "{ Round as Circle }")],
)
def test_a_name_that_a_barrel_passes_on(barrel: str, files: Files, spot: MakeSpot, sources: Sources) -> None:
    name = "Round" if "Round" in barrel else "Circle"
    circle = f"export default class {name} {{ area(): number {{ return 1 }} }}\n"
    files({"shapes/index.ts": barrel, "shapes/circle.ts": circle})
    found = scores(spot("main.ts", "import { Circle } from './shapes';\nconst c = new Circle(|);\n"), sources)
    assert found[name] == 1
    assert f"{name}.area" in found


@pytest.mark.parametrize(
    ("name", "text", "weight"),
    [
        ("main.py", "from shapes import unit_circle as make\n\nc = make(|)\n", 1),
        ("main.py", "from shapes import unit_circle as make\n\nc = unit_circle(|)\n", 0.95),
        ("main.py", "import shapes as sh\n\nc = sh + |\n", 0.4),
        ("main.ts", "import * as sh from './shapes';\n\nconst c = sh + |\n", 0.4),
        ("main.ts", "import { unit_circle as make } from './shapes';\n\nconst c = make(|)\n", 1),
        ("main.go", 'package main\n\nimport sh "m/shapes"\n\nvar c = sh + |\n', 0.4),
        ("main.go", 'package main\n\nimport "m/shapes"\n\nvar c = shapes + |\n', 0.4),
    ],
)
def test_the_name_that_an_import_gives_is_the_one_that_is_used(
    name: str, text: str, weight: float, files: Files, spot: MakeSpot, sources: Sources
) -> None:
    files({"shapes.py": SHAPES, "shapes.ts": "export function unit_circle() {}\n", "go.mod": "module m\n"})
    files({"shapes/unit.go": "package shapes\n\nfunc unit_circle() int { return 1 }\n"})
    assert scores(spot(name, text), sources)["unit_circle"] == weight


def test_what_was_imported_and_is_not_used_yet_is_wanted_next(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shapes.py": SHAPES})
    text = "from shapes import Circle, unit_circle\n\ndef g():\n    return unit_circle()\n\n\ndef f():\n    |\n"
    found = scores(spot("main.py", text), sources)
    assert found["Circle"] == 0.95 > found["unit_circle"]


def test_of_a_file_that_passes_names_on_none_is_wanted_next(files: Files, spot: MakeSpot, sources: Sources) -> None:
    names = [f"name_{n}" for n in range(9)]
    files({"many.py": "".join(f"def {name}(): ...\n" for name in names)})
    found = scores(spot("main.py", f"from many import {', '.join(names)}\n\nx = |\n"), sources)
    assert {found[name] for name in names} == {0.45}


RECEIVED = {
    "shapes.py": "class Shape:\n    def grow(self): ...\n\nclass Circle(Shape):\n    def area(self): ...\n",
    "pkg/__init__.py": "from .round import Ring\n",
    "pkg/round.py": "class Ring:\n    def width(self): ...\n\nclass Other:\n    def other(self): ...\n",
    "shapes.ts": "export class Circle { area(): number { return 1 } }\n",
    "go.mod": "module m\n",
    "shapes/circle.go": "package shapes\n\ntype Circle struct { R int }\n\nfunc (c *Circle) Area() int { return 1 }\n",
    "Round.java": "class Round { int turns() { return 1; } }\n",
}


@pytest.mark.parametrize(
    ("name", "text", "members"),
    [
        ("main.py", "from shapes import Circle\n\ndef f(c: Circle):\n    c.|\n", {"Circle.area", "Shape.grow"}),
        ("main.py", "from shapes import Circle\n\ndef f(c: Optional['Circle']):\n    c.ar|\n", {"Circle.area"}),
        ("main.py", "from shapes import Circle\n\ndef f():\n    c = Circle()\n    c.|\n", {"Circle.area"}),
        ("main.py", "from shapes import Circle\n\ndef f():\n    Circle(1).|\n", {"Circle.area"}),
        ("main.py", "import shapes\n\ndef f():\n    c = shapes.Circle()\n    c.|\n", {"Circle.area"}),
        ("main.py", "import pkg\n\ndef f():\n    pkg.|\n", {"Ring"}),
        ("main.py", "import pkg\n\ndef f():\n    r = pkg.Ring()\n    r.|\n", {"Ring.width"}),
        (
            "main.py",
            "from shapes import Circle\n\nclass C(Circle):\n    def f(self):\n        self.|\n",
            {"Circle.area"},
        ),
        ("main.py", "from shapes import Circle\n\ndef f(circle):\n    circle.|\n", {"Circle.area"}),
        ("main.ts", "import { Circle } from './shapes';\n\nfunction f(c: Circle) { c.| }\n", {"Circle.area"}),
        ("main.ts", "import { Circle } from './shapes';\n\nconst c = new Circle();\nc.|\n", {"Circle.area"}),
        ("main.go", 'package main\n\nimport "m/shapes"\n\nfunc f(c *shapes.Circle) { c.| }\n', {"Circle.Area"}),
        ("Main.java", "class Main { void f(Round r) { r.| } }\n", {"Round.turns"}),
    ],
)
def test_what_is_behind_a_dot_comes_first(
    name: str, text: str, members: set[str], files: Files, spot: MakeSpot, sources: Sources
) -> None:
    files(RECEIVED)
    found = scores(spot(name, text), sources)
    assert members <= {name for name, score in found.items() if score >= 0.9}
    assert "Other.other" not in found


@pytest.mark.parametrize("text", ["x = 1.|", "x.y + |", "a[0].|", "|"])
def test_no_receiver(text: str, spot: MakeSpot) -> None:
    assert receiver_at(spot("main.py", text)) is None


def test_functions_that_return_each_other_are_no_trap(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"a.py": "def one() -> two: ...\ndef two() -> one: ...\n"})
    assert "one" in scores(spot("main.py", "from a import one\n\nx = one()\nx.|\n"), sources)


def test_an_imported_name_that_many_files_have(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({f"m{n:02}.py": "class Handler: ...\n" for n in range(20)} | {"zz.py": "class Handler: ...\n"})
    found = used_symbols(spot("main.py", "from zz import Handler\nh = Handler(|)\n"), sources)
    assert [candidate.path.name for candidate in found] == ["zz.py"]


def test_base_classes_are_shown_with_their_members(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shapes.py": SHAPES})
    filler = "    def f(self):\n        return 1\n\n" * 60
    text = f"from shapes import Shape\n\nclass Mine(Shape):\n{filler}    def g(self):\n        return self.|\n"
    found = scores(spot("main.py", text), sources)
    assert found["Shape.outline"] > 0.4


def test_types_of_signatures_are_followed(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shapes.py": SHAPES})
    found = scores(spot("main.py", "from shapes import unit_circle\nx = unit_circle().|\n"), sources)
    assert found["unit_circle"] > found["Circle.area"] > 0.2
    assert "Shape" not in found


def test_what_the_window_shows_is_no_candidate(spot: MakeSpot, sources: Sources) -> None:
    filler = "x = 1\n" * 2000
    text = f"def far(): ...\n\n{filler}def near(): ...\n\nnear()\nfar()\ny = |\n"
    assert list(scores(spot("main.py", text), sources)) == ["far"]


def test_members_of_the_class_that_the_window_does_not_show(spot: MakeSpot, sources: Sources) -> None:
    filler = "    # comment\n" * 1000
    text = f"class Cart:\n    def total(self): ...\n{filler}    def show(self):\n        return |\n"
    assert list(scores(spot("main.py", text), sources)) == ["Cart.total"]


def test_members_of_a_go_receiver(spot: MakeSpot, sources: Sources) -> None:
    filler = "// comment\n" * 1000
    text = f"package shop\n\nfunc (c *Cart) Total() int {{ return 1 }}\n\n{filler}func (c *Cart) Show() {{\n\t|\n}}\n"
    assert list(scores(spot("cart.go", text), sources)) == ["Cart.Total"]


@pytest.mark.parametrize(
    ("uses", "found"), [("helper.compute_tax(|)", True), ("compute_tax(|)", False), ("import compute_tax|", False)]
)
def test_python_needs_an_import_for_a_bare_name(
    uses: str, found: bool, files: Files, spot: MakeSpot, sources: Sources
) -> None:
    files({"tax.py": "class Tax:\n    def compute_tax(self): ...\n\ndef compute_tax(): ...\n"})
    assert ("Tax.compute_tax" in scores(spot("main.py", uses + "\n"), sources)) is found


def test_go_sees_its_package(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"shop/tax.go": "package shop\n\nfunc computeTax(price int) int { return price }\n"})
    text = "package shop\n\nfunc total() int {\n\treturn computeTax(|)\n}\n"
    assert "computeTax" in scores(spot("shop/total.go", text), sources)


def test_a_name_of_many_definitions_is_no_candidate(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({f"sub{n}/m.py": f"class C{n}:\n    def convert(self): ...\n" for n in range(5)})
    assert scores(spot("main.py", "x.convert(|)\n"), sources) == {}
    files({"here.py": "class Here:\n    def convert(self): ...\n"})
    assert list(scores(spot("main.py", "x.convert(|)\n"), sources)) == ["Here.convert"]


def test_common_names_mean_nothing(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"store.py": "class Store:\n    def get(self): ...\n    def items(self): ...\n"})
    assert scores(spot("main.py", "x.get(y.items(|))\n"), sources) == {}


def test_a_name_from_outside_is_not_looked_for_inside(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"mine.py": "class Mine:\n    def dumps(self): ...\n"})
    assert scores(spot("main.py", "from json import dumps\nx = json.dumps(|)\n"), sources) == {}


def test_another_language_is_another_world(files: Files, spot: MakeSpot, sources: Sources) -> None:
    files({"cart.ts": "export class Cart { computeTax(): number { return 1 } }\n"})
    assert scores(spot("main.py", "cart.computeTax(|)\n"), sources) == {}
    found = scores(spot("main.js", "import { Cart } from './cart'\ncart.computeTax(|)\n"), sources)
    assert "Cart.computeTax" in found
