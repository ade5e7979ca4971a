from __future__ import annotations

from collections.abc import Callable

from lsp_server.context.spot import Spot
from lsp_server.context.usage import uses

MakeSpot = Callable[[str, str], Spot]


def test_the_nearest_weigh_most(spot: MakeSpot) -> None:
    found = uses(spot("a.py", "far = 1\n" + "\n" * 20 + "near = 2\nnearest = |\nbelow = 3\n"), None)
    assert list(found) == ["nearest", "near", "below", "far"]
    assert found["nearest"].weight == 1


def test_a_name_weighs_as_its_nearest_use(spot: MakeSpot) -> None:
    assert uses(spot("a.py", "name = 1\n" + "\n" * 20 + "name = |\n"), None)["name"].weight == 1


def test_only_what_always_stands_behind_a_dot_is_a_member(spot: MakeSpot) -> None:
    found = uses(spot("a.py", "cart.total()\ncart.price\nprice = |\n"), None)
    assert {name: use.member for name, use in found.items()} == {"cart": False, "total": True, "price": False}


def test_members_of_other_languages(spot: MakeSpot) -> None:
    found = uses(spot("a.cpp", "void f() { cart->total(); shop::open(); | }\n"), None)
    assert found["total"].member
    assert found["open"].member
    assert not found["cart"].member


def test_the_whole_function_counts_but_not_all_of_the_file(spot: MakeSpot) -> None:
    text = "outside = 1\n" + "\n" * 50 + "def f(argument):\n" + "    x = 1\n" * 60 + "    |\n"
    place = spot("a.py", text)
    start = text.index("def f")
    assert "argument" not in uses(place, None)
    found = uses(place, (start, len(text) - 2))
    assert "argument" in found
    assert "outside" not in found


def test_words_of_comments_and_strings_are_no_names(spot: MakeSpot) -> None:
    assert list(uses(spot("a.py", "# alpha\nx = 'beta'\ny = |\n"), None)) == ["y", "x"]


def test_what_is_only_imported_is_not_used(spot: MakeSpot) -> None:
    assert list(uses(spot("a.py", "import json\nfrom os import path\nx = json.|\n"), None)) == ["x", "json"]
    assert list(uses(spot("a.c", "#include <x.h>\nint importer = |;\n"), None)) == ["importer"]


def test_of_a_very_long_line_only_what_is_near_counts(spot: MakeSpot) -> None:
    text = "far(1);" + "x=1;" * 3000 + "near(|);" + "x=1;" * 3000 + "behind(1);"
    found = uses(spot("a.js", text), None)
    assert "near" in found
    assert not {"far", "behind"} & found.keys()
