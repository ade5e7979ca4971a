from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from lsp_server.context.index.builder import build
from lsp_server.context.index.order import Order
from lsp_server.context.index.reader import Reader
from lsp_server.context.index.types import IndexedSymbol, IndexState
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.syntax.snapshot import Snapshot
from tests.unit.context.conftest import MakeFiles
from tests.unit.context.index.conftest import Build

SHAPES = "class Circle:\n    def area(self):\n        return 3\n\n\ndef area(shape):\n    return shape.area()\n"


def python(text: str) -> Snapshot:
    return Snapshot.open(text, "python")


def found(symbols: list[IndexedSymbol] | tuple[IndexedSymbol, ...]) -> list[str]:
    return [f"{symbol.container}.{symbol.name}" if symbol.container else symbol.name for symbol in symbols]


def test_before_anything_is_built_there_are_the_open_documents(index: WorkspaceIndex, root: Path) -> None:
    path = root / "shapes.py"
    index.update(path, python(SHAPES))
    assert found(index.definitions(["area", "none"])["area"]) == ["area", "Circle.area"]
    assert set(index.definitions(["area", "none"])) == {"area"}
    assert found(index.symbols_in(path)) == ["Circle", "Circle.area", "area"]
    assert found(index.members("Circle")) == found(index.members("Circle", path)) == ["Circle.area"]
    assert index.referencing("area", limit=8) == [(path, 3)]
    assert found(index.search("circ", limit=8)) == ["Circle"]
    assert index.state() == IndexState()


def test_what_is_typed_counts_and_not_what_is_on_disk(
    index: WorkspaceIndex, root: Path, files: MakeFiles, build_index: Build
) -> None:
    files({"shapes.py": SHAPES, "a.py": "import shapes\n", "b.py": "area = 1\n"})
    build_index()
    path = root / "shapes.py"
    index.update(path, python("import a\n\n\ndef volume(): ...\n"))
    assert [symbol.path for symbol in index.definitions(["area"])["area"]] == [root / "b.py"]
    assert index.members("Circle") == ()
    assert found(index.search("volume", limit=8)) == ["volume"]
    assert index.search("Circle", limit=8) == []
    assert index.referencing("area", limit=8) == [(root / "b.py", 1)]
    assert [one.target for one in index.imports_of(path)] == [root / "a.py"]
    assert index.importers_of(root / "a.py") == (path,)
    index.forget(path)
    assert found(index.members("Circle")) == ["Circle.area"]
    assert index.search("volume", limit=8) == []
    assert index.importers_of(root / "a.py") == ()


def test_of_two_states_of_a_document_the_later_one_counts(index: WorkspaceIndex, root: Path) -> None:
    path = root / "a.py"
    index.update(path, python("def one(): ...\n"))
    index.update(path, python("def two(): ...\n"))
    assert found(index.symbols_in(path)) == ["two"]


def test_imports_of_an_open_document_follow_the_disk(index: WorkspaceIndex, root: Path, files: MakeFiles) -> None:
    index.update(root / "a.py", python("import b\n"))
    assert [one.target for one in index.imports_of(root / "a.py")] == [None]
    files({"b.py": ""})
    index.refresh()
    assert [one.target for one in index.imports_of(root / "a.py")] == [root / "b.py"]


def test_new_rules_of_git_count_after_a_refresh(index: WorkspaceIndex, root: Path, files: MakeFiles) -> None:
    assert not index.is_excluded(root / "gen.py")
    files({".gitignore": "gen.py\n"})
    index.refresh()
    assert index.is_excluded(root / "gen.py")


def test_documents_that_are_left_out_are_not_indexed(index: WorkspaceIndex, root: Path, files: MakeFiles) -> None:
    files({".gitignore": "gen/\n"})
    index.set_roots([root], ["*_pb2.py"])
    for name in ("gen/a.py", "x_pb2.py", ".env", "id_rsa.py"):
        index.update(root / name, python("def hidden(): ...\n"))
    assert index.definitions(["hidden"]) == {}


def test_what_is_open_goes_when_it_is_left_out(index: WorkspaceIndex, root: Path, files: MakeFiles) -> None:
    paths = [root / name for name in ("settings.py", "gen.py", "link.py")]
    for path in paths:
        index.update(path, python("def hidden(): ...\n"))
    assert {symbol.path for symbol in index.definitions(["hidden"])["hidden"]} == set(paths)
    files({".gitignore": "settings.py\n", ".env": ""})
    index.refresh()
    assert {symbol.path for symbol in index.definitions(["hidden"])["hidden"]} == set(paths[1:])
    index.set_roots([root], ["gen.py"])
    (root / "link.py").symlink_to(".env")
    index.update(paths[2], python("def hidden(): ...\n"))
    assert index.definitions(["hidden"]) == {}
    assert index.search("hidden", limit=8) == []


def test_what_was_opened_before_the_folders_were_known(root: Path, files: MakeFiles, tmp_path: Path) -> None:
    files({".gitignore": "settings.py\n"})
    index = WorkspaceIndex(tmp_path / "cache")
    index.update(root / "settings.py", python("KEY = 1\n"))
    index.set_roots([root])
    assert index.definitions(["KEY"]) == {}
    assert index.symbols_in(root / "settings.py") == ()


def test_outside_of_all_folders_only_secrets_are_left_out(index: WorkspaceIndex, root: Path) -> None:
    assert index.is_excluded(root.parent / ".env")
    assert not index.is_excluded(root.parent / "node_modules" / "a.js")
    (root.parent / "conf.py").symlink_to(root / ".env")
    assert index.is_excluded(root.parent / "conf.py")


def test_what_another_editor_indexes_is_not_seen_where_it_is_left_out(
    index: WorkspaceIndex, root: Path, files: MakeFiles, build_index: Build, tmp_path: Path
) -> None:
    files({"a.py": "def shown(): ...\n", "own/b.py": "def hidden(): ...\n"})
    build_index()
    other = WorkspaceIndex(tmp_path / "cache")
    other.set_roots([root], ["own/"])
    build(root, other.database_of(root), Order(("own/",)))
    names = ["shown", "hidden"]
    assert (set(index.definitions(names)), set(other.definitions(names))) == ({"shown", "hidden"}, {"shown"})
    index.set_roots([root], ["own/"])
    assert set(index.definitions(names)) == {"shown"}
    other.close()


def test_several_folders_come_and_go(
    index: WorkspaceIndex, root: Path, files: MakeFiles, build_index: Build, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.py").write_text("def there(): ...\n", encoding="utf-8")
    files({"a.py": "def here(): ...\n"})
    index.set_roots([root, other])
    for folder in (root, other):
        build_index(folder=folder)
    assert set(index.definitions(["here", "there"])) == {"here", "there"}
    assert (index.named("a.py"), index.named("b.py")) == ((root / "a.py",), (other / "b.py",))
    assert (index.state().files, index.state().symbols) == (2, 2)
    index.set_roots([other])
    assert set(index.definitions(["here", "there"])) == {"there"}
    index.set_roots([other, root])
    assert set(index.definitions(["here", "there"])) == {"here", "there"}


def test_a_file_of_a_folder_in_a_folder_is_found_once(
    index: WorkspaceIndex, root: Path, files: MakeFiles, build_index: Build
) -> None:
    files({"inner/a.py": "import b\ndef once(): ...\n", "inner/b.py": ""})
    index.set_roots([root, root / "inner"])
    for folder in (root, root / "inner"):
        build_index(folder=folder)
    assert len(index.definitions(["once"])["once"]) == 1
    assert len(index.search("once", limit=8)) == 1
    assert index.referencing("once", limit=8) == [(root / "inner" / "a.py", 1)]
    assert index.named("b.py") == (root / "inner" / "b.py",)
    # What the inner folder leaves out is its own affair.
    index.set_roots([root])
    assert len(index.definitions(["once"])["once"]) == 1


def test_the_most_wanted_definitions_go_first(
    index: WorkspaceIndex, root: Path, files: MakeFiles, build_index: Build
) -> None:
    files({"a.py": "class A:\n    run = 1\n    \n", "b.py": "class B:\n    def run(self): ...\n", "c.py": "run = 1\n"})
    build_index()
    index.update(root / "d.py", python("def run(): ...\n"))
    assert found(index.definitions(["run"])["run"]) == ["run", "run", "B.run", "A.run"]
    assert [symbol.kind for symbol in index.definitions(["run"])["run"]] == ["function", "constant", "method", "field"]
    assert len(index.definitions(["run"], limit=2)["run"]) == 2


def test_open_documents_go_first_however_many_others_there_are(
    index: WorkspaceIndex, root: Path, files: MakeFiles, build_index: Build
) -> None:
    files({f"{n}.py": "def run(): ...\n" for n in range(9)})
    build_index()
    index.update(root / "own.py", python("class Job:\n    def run(self): ...\n"))
    assert found(index.definitions(["run"])["run"][:2]) == ["Job.run", "run"]


def test_other_names_of_what_is_imported_are_kept(
    index: WorkspaceIndex, root: Path, files: MakeFiles, build_index: Build
) -> None:
    text = "import lib as lb\nfrom lib import load as ld, plot\nimport os as o\n"
    files({"lib.py": "", "a.py": text})
    build_index()
    index.update(root / "b.py", python(text))
    expected = [(("*", "lb"),), (("load", "ld"),), (("*", "o"),)]
    for name in ("a.py", "b.py"):
        assert [one.aliases for one in index.imports_of(root / name)] == expected


def test_of_very_many_importers_some_are_told(
    index: WorkspaceIndex, root: Path, files: MakeFiles, build_index: Build
) -> None:
    files({"hub.py": "", **{f"{n}.py": "import hub\n" for n in range(60)}})
    build_index()
    assert len(index.importers_of(root / "hub.py")) == 50


def test_half_a_character_is_in_no_index(index: WorkspaceIndex, files: MakeFiles, build_index: Build) -> None:
    files({"a.py": "def area(): ...\n"})
    build_index()
    assert list(index.definitions(["a\ud800b", "area"])) == ["area"]
    assert index.members("a\ud800b") == ()
    assert index.referencing("a\ud800b", limit=8) == []


@pytest.mark.parametrize("text", ["x = 1\n" * 200_000, "x = 1;" * 1000, "x = '\0'\n", "x = '\ud83d'\n"])
def test_an_open_document_that_would_not_be_read_from_disk(text: str, index: WorkspaceIndex, root: Path) -> None:
    index.update(root / "a.py", python("x = 1\n"))
    index.update(root / "a.py", python(text))
    assert index.definitions(["x"]) == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("http_response", ["http_response", "make_http_response"]),
        ("hr", ["HttpResponse", "http_response", "HttpResponseBase"]),
        ("HttpResponse.close", ["HttpResponse.close"]),
        ("HttpResponse::close", ["HttpResponse.close"]),
        ("HR.cl", ["HttpResponse.close"]),
        ("http response", ["HttpResponse", "HttpResponseBase", "http_response", "make_http_response"]),
        ("nothing of it", []),
        ("", []),
        (".", []),
    ],
)
def test_search(query: str, expected: list[str], index: WorkspaceIndex, files: MakeFiles, build_index: Build) -> None:
    files(
        {
            "a.py": "class HttpResponse:\n    def close(self): ...\n\n\nclass HttpResponseBase: ...\n",
            "b.py": "def make_http_response(): ...\n\n\ndef http_response(): ...\n",
            "c.py": "class File:\n    def close(self): ...\n",
        }
    )
    build_index()
    assert found(index.search(query, limit=8)) == expected
    assert found(index.search(query, limit=1)) == expected[:1]


def test_how_far_the_builders_are(index: WorkspaceIndex, root: Path, tmp_path: Path) -> None:
    index.report(root, (0, 0))
    assert index.state() == IndexState(building=True)
    index.report(root, (3, 10))
    index.report(tmp_path / "other", (1, 5))
    assert index.state() == IndexState(building=True, done=4, total=15)
    index.report(root, None)
    index.report(tmp_path / "other", None)
    assert index.state() == IndexState()


def test_a_search_keeps_nobody_waiting(
    index: WorkspaceIndex, files: MakeFiles, build_index: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    files({"a.py": "def area(): ...\n"})
    build_index()
    searching, asked = Event(), Event()

    def answer(reader: Reader, db: object, made_of: object, sql: str, values: object) -> object:
        if "LIKE" in sql:
            searching.set()
            asked.wait(60)
        return original(reader, db, made_of, sql, values)  # type: ignore[arg-type]

    original = Reader._answer
    monkeypatch.setattr(Reader, "_answer", answer)
    with ThreadPoolExecutor(2) as pool:
        found = pool.submit(index.search, "area", limit=8)
        assert searching.wait(60)
        defined = pool.submit(index.definitions, ["area"])
        try:
            assert set(defined.result(timeout=30)) == {"area"}
        finally:
            asked.set()
        assert [symbol.name for symbol in found.result()] == ["area"]
