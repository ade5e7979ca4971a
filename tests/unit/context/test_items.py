from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.candidates import Candidate, Kind, Sources
from lsp_server.context.items import arrange
from lsp_server.context.symbols import as_symbol

Files = Callable[[dict[str, str]], None]

SHAPES = """\
class Outer:
    class Circle:
        def area(self): ...
        def side(self): ...


def far(): ...
"""


@pytest.fixture
def stubs(files: Files, sources: Sources, root: Path) -> dict[str, Candidate]:
    files({"shapes.py": SHAPES})
    path = root / "shapes.py"
    return {
        s.name: Candidate(Kind.DEFINITION, path, s.start, s.end, "used here", 0.5, as_symbol(s))
        for s in sources.symbols.symbols_in(path)
    }


def chunk(root: Path, kind: Kind, name: str, score: float) -> Candidate:
    return Candidate(kind, root / name, -1, -1, "edited", score, text=f"text of {name}\n")


def test_the_stubs_of_a_file_are_one_item_in_source_order(stubs: dict[str, Candidate], sources: Sources) -> None:
    (item,) = arrange([stubs["far"], stubs["Outer"], stubs["Circle"], stubs["side"]], sources, 600, ())
    assert item.snippet.path == "shapes.py"
    assert item.snippet.text == SHAPES.replace("        def area(self): ...\n", "").replace("\n\n\n", "\n")


def test_a_member_is_shown_within_its_classes(stubs: dict[str, Candidate], sources: Sources) -> None:
    (item,) = arrange([stubs["area"]], sources, 600, ())
    assert item.snippet.text == "class Outer:\n    class Circle:\n        def area(self): ...\n"
    assert item.reason == "used here: area"


def test_what_lasts_comes_first_and_of_that_the_best_last(
    stubs: dict[str, Candidate], sources: Sources, root: Path
) -> None:
    chosen = [
        chunk(root, Kind.RECENT, "a.py", 0.9),
        chunk(root, Kind.RECENT, "b.py", 0.8),
        chunk(root, Kind.SIMILAR, "c.py", 0.7),
        stubs["far"],
    ]
    for order in (chosen, chosen[::-1]):
        items = arrange(order, sources, 600, ())
        assert [item.snippet.path for item in items] == ["shapes.py", "c.py", "b.py", "a.py"]


def test_what_stays_keeps_its_place(stubs: dict[str, Candidate], sources: Sources, root: Path) -> None:
    recent = chunk(root, Kind.RECENT, "a.py", 0.9)
    last = arrange([recent], sources, 600, ())
    items = arrange([recent, stubs["far"]], sources, 600, last)
    assert [item.snippet.path for item in items] == ["a.py", "shapes.py"]


def test_an_item_of_which_little_is_left_is_made_anew(stubs: dict[str, Candidate], sources: Sources) -> None:
    last = arrange([stubs["Outer"], stubs["Circle"], stubs["area"], stubs["far"]], sources, 600, ())
    assert arrange([stubs["area"], stubs["far"]], sources, 600, last) == last
    assert arrange([stubs["far"]], sources, 600, last)[0].snippet.text == "def far(): ...\n"


def test_new_symbols_of_a_file_that_stays_come_behind_it(stubs: dict[str, Candidate], sources: Sources) -> None:
    last = arrange([stubs["area"]], sources, 600, ())
    items = arrange([stubs["area"], stubs["far"]], sources, 600, last)
    assert items[0] == last[0]
    assert [item.snippet.text for item in items[1:]] == ["def far(): ...\n"]


def test_what_stays_leaves_the_rest_less_room(stubs: dict[str, Candidate], sources: Sources, root: Path) -> None:
    recent = chunk(root, Kind.RECENT, "a.py", 0.3)
    last = arrange([stubs["area"], stubs["side"]], sources, 600, ())
    chosen = [stubs["area"], recent]
    assert len(arrange(chosen, sources, 600, last)) == 2
    assert arrange(chosen, sources, last[0].tokens + 1, last) == last
