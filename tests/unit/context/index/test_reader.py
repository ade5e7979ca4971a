from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.context.index.database import delete
from lsp_server.context.index.reader import Reader
from lsp_server.context.index.types import IndexedSymbol, ResolvedImport
from lsp_server.context.index.workspace_index import WorkspaceIndex
from tests.unit.context.conftest import MakeFiles
from tests.unit.context.index.conftest import Build

SHAPES = '''import os

RED = 1


class Circle:
    """Round."""

    area = 2

    def grow(self, by):
        return Circle(by * RED)


def area(circle):
    return circle
'''


@pytest.fixture
def reader(root: Path, index: WorkspaceIndex) -> Iterator[Reader]:
    """Reads what ``build_index`` builds."""
    reader = Reader(root, index.database_of(root))
    yield reader
    reader.close()


@pytest.fixture
def built(root: Path, files: MakeFiles, build_index: Build) -> None:
    files({"pkg/shapes.py": SHAPES, "pkg/__init__.py": "", "main.py": "from pkg.shapes import area\narea(1)\n"})
    build_index()


def everything(reader: Reader) -> list[object]:
    return [
        reader.definitions(["area"], 8)["area"],
        reader.members("Circle", None),
        reader.symbols_in("pkg/shapes.py"),
        reader.names_like("area"),
        reader.imports_of("main.py"),
        reader.importers_of("pkg/shapes.py", 8),
        reader.referencing("area", 8),
        reader.named("main.py"),
    ]


def test_without_a_database_everything_is_empty(reader: Reader) -> None:
    assert everything(reader) == [[]] * 8
    assert reader.counts() == (0, 0)


@pytest.mark.usefixtures("built")
def test_symbols_as_they_are_in_the_file(reader: Reader, root: Path) -> None:
    circle = reader.symbols_in("pkg/shapes.py")[1]
    start = SHAPES.index("class Circle")
    assert circle == IndexedSymbol(
        *("Circle", "class", None, root / "pkg" / "shapes.py", start, SHAPES.index("\n\n\ndef area"), 5),
        signature="class Circle:",
        doc="Round.",
    )
    names = [(symbol.name, symbol.container) for symbol in reader.symbols_in("pkg/shapes.py")]
    assert names == [("RED", None), ("Circle", None), ("area", "Circle"), ("grow", "Circle"), ("area", None)]
    assert reader.symbols_in("none.py") == []


@pytest.mark.usefixtures("built")
def test_functions_and_what_is_in_no_class_are_the_first_definitions(reader: Reader) -> None:
    assert [symbol.kind for symbol in reader.definitions(["area"], 8)["area"]] == ["function", "field"]
    assert reader.definitions(["grow' OR 1=1 --"], 8) == {"grow' OR 1=1 --": []}


@pytest.mark.usefixtures("built")
def test_members_of_a_class_in_all_files_or_one(reader: Reader) -> None:
    for path in (None, "pkg/shapes.py"):
        assert [symbol.name for symbol in reader.members("Circle", path)] == ["area", "grow"]
    assert reader.members("Circle", "main.py") == []


@pytest.mark.usefixtures("built")
def test_imports_both_ways(reader: Reader, root: Path) -> None:
    assert reader.imports_of("main.py") == [
        ResolvedImport("pkg.shapes", ("area",), 0, root / "pkg" / "shapes.py"),
    ]
    assert reader.imports_of("pkg/shapes.py") == [ResolvedImport("os", (), 0, None)]
    assert reader.importers_of("pkg/shapes.py", 8) == [root / "main.py"]


def test_of_many_importers_its_tests_and_those_that_are_near_go_first(
    reader: Reader, root: Path, files: MakeFiles, build_index: Build
) -> None:
    names = ("a.py", "z/b.py", "pkg/c.py", "pkg/sub/d.py", "pkg/sub/deep/e.py", "tests/test_hub.py")
    files({"pkg/sub/hub.py": "", **dict.fromkeys(names, "import pkg.sub.hub\n")})
    build_index()
    near = ["tests/test_hub.py", "pkg/sub/d.py", "pkg/sub/deep/e.py", "pkg/c.py", "a.py", "z/b.py"]
    assert reader.importers_of("pkg/sub/hub.py", 8) == [root / name for name in near]
    assert reader.importers_of("pkg/sub/hub.py", 2) == [root / name for name in near[:2]]


@pytest.mark.usefixtures("built")
def test_who_names_something_most_is_first(reader: Reader, root: Path) -> None:
    assert reader.referencing("area", 8) == [(root / "main.py", 2), (root / "pkg" / "shapes.py", 2)]
    assert reader.referencing("RED", 8) == [(root / "pkg" / "shapes.py", 2)]
    assert len(reader.referencing("area", 1)) == 1


@pytest.mark.usefixtures("built")
def test_files_by_name(reader: Reader) -> None:
    assert reader.named("shapes.py") == ["pkg/shapes.py"]
    assert reader.counts() == (3, 5)


def test_names_that_have_the_letters(reader: Reader, files: MakeFiles, build_index: Build) -> None:
    files({"a.py": "under_score = percent = 1\ndef area_of(x): ...\ndef of_area(x): ...\n"})
    build_index()
    assert reader.names_like("r_s") == ["under_score"]
    assert reader.names_like("aof") == ["area_of"]
    assert reader.names_like("%%%") == []
    assert reader.names_like("AO") == ["area_of"]
    assert reader.names_like("o") == ["of_area"]


def test_an_index_that_is_built_later_or_replaced_is_seen(
    reader: Reader, root: Path, index: WorkspaceIndex, files: MakeFiles, build_index: Build
) -> None:
    files({"a.py": "x = 1\n"})
    assert reader.counts()[0] == 0
    build_index()
    assert reader.counts()[0] == 1
    delete(index.database_of(root))
    assert reader.counts()[0] == 0
    files({"b.py": "x = 1\n"})
    build_index()
    assert reader.counts()[0] == 2
    # Nobody asked while it was away.
    delete(index.database_of(root))
    files({"c.py": "x = 1\n"})
    build_index()
    assert reader.counts()[0] == 3


@pytest.mark.usefixtures("built")
def test_what_is_written_after_a_question_is_seen_at_the_next(
    reader: Reader, files: MakeFiles, build_index: Build
) -> None:
    assert reader.definitions(["area_of"], 8)["area_of"] == []
    before = reader.symbols_in("pkg/shapes.py")
    files({"pkg/shapes.py": SHAPES + "\n\ndef area_of(shape): ...\n"})
    build_index()
    (added,) = reader.definitions(["area_of"], 8)["area_of"]
    assert reader.symbols_in("pkg/shapes.py") == [*before, added]


@pytest.mark.usefixtures("built")
def test_an_answer_is_the_askers_own(reader: Reader) -> None:
    reader.named("main.py").clear()
    assert reader.named("main.py")
    reader.symbols_in("pkg/shapes.py").clear()
    assert reader.symbols_in("pkg/shapes.py")


@pytest.mark.usefixtures("built")
def test_a_damaged_one_is_empty_until_it_is_made_anew(reader: Reader, build_index: Build) -> None:
    reader.close()
    reader.database.write_bytes(b"no database at all" * 500)
    assert everything(reader) == [[]] * 8
    build_index()
    assert reader.counts() == (3, 5)
