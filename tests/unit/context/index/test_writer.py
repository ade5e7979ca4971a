from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.context.index import writer as writer_module
from lsp_server.context.index.database import open_for_reading
from lsp_server.context.index.exclusions import FoundFile
from lsp_server.context.index.extract import facts
from lsp_server.context.index.trees import DiskTree
from lsp_server.context.index.writer import KnownFile, Writer
from lsp_server.syntax.snapshot import Snapshot
from tests.unit.context.conftest import MakeFiles

TABLES = ("files", "symbols", "occurrences", "imports", "targets")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    writer = Writer(path)
    yield writer
    writer.close()


def put(writer: Writer, path: str, text: str, mtime_ns: int = 1) -> None:
    with writer.transaction():
        writer.put(FoundFile(path, mtime_ns, len(text)), b"hash", "python", facts(Snapshot.open(text, "python")))


def counts(path: Path) -> list[int]:
    connection = open_for_reading(path)
    assert connection
    rows = "SELECT count(*) FROM "
    found = [connection.execute(rows + table).fetchone()[0] for table in TABLES]
    connection.close()
    return found


def test_a_file_comes_in_place_of_what_it_was(writer: Writer, path: Path) -> None:
    put(writer, "a.py", "import os\nimport sys\ndef f(): ...\ndef g(): ...\n")
    put(writer, "a.py", "import os\ndef f(): ...\n", mtime_ns=2)
    assert counts(path) == [1, 1, 2, 1, 0]
    assert [(file.mtime_ns, file.hash) for file in writer.files().values()] == [(2, b"hash")]


def test_nothing_of_a_removed_file_stays(writer: Writer, path: Path, root: Path, files: MakeFiles) -> None:
    files({"b.py": ""})
    put(writer, "a.py", "import b\ndef f(): ...\n")
    with writer.transaction():
        writer.resolve_imports(DiskTree(root), None)
    assert counts(path) == [1, 1, 2, 1, 1]
    with writer.transaction():
        writer.remove(["a.py", "never there.py"])
    assert counts(path) == [0] * 5


def test_only_the_time_of_a_file_may_change(writer: Writer) -> None:
    put(writer, "a.py", "x = 1\n")
    before = writer.files()["a.py"]
    with writer.transaction():
        writer.touch(FoundFile("a.py", 7, 8))
    assert writer.files()["a.py"] == KnownFile(before.id, 7, 8, before.hash)


def test_a_transaction_that_fails_leaves_nothing(writer: Writer, path: Path) -> None:
    def half() -> None:
        with writer.transaction():
            writer.put(FoundFile("a.py", 1, 1), b"", "python", facts(Snapshot.open("f = 1\n", "python")))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert counts(path) == [0] * 5
    put(writer, "a.py", "f = 1\n")
    assert counts(path)[0] == 1


def test_imports_are_resolved_of_some_files_or_of_all(writer: Writer, path: Path, root: Path, files: MakeFiles) -> None:
    files({"b.py": ""})
    put(writer, "a.py", "import b\n")
    put(writer, "c.py", "import b\n")
    with writer.transaction():
        writer.resolve_imports(DiskTree(root), ["a.py"])
        writer.resolve_imports(DiskTree(root), ["a.py"])
    assert counts(path)[-1] == 1
    with writer.transaction():
        writer.resolve_imports(DiskTree(root), None)
    assert counts(path)[-1] == 2
    (root / "b.py").unlink()
    with writer.transaction():
        writer.resolve_imports(DiskTree(root), None)
    assert counts(path)[-1] == 0


def test_names_are_shared_between_files(writer: Writer, path: Path) -> None:
    put(writer, "a.py", "shared = 1\n")
    put(writer, "b.py", "shared = 2\n")
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM names WHERE name = 'shared'").fetchone() == (1,)
    connection.close()


def test_little_memory_makes_the_same_index(
    writer: Writer, path: Path, root: Path, files: MakeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_AT_ONCE", 1)
    monkeypatch.setattr(writer_module, "_MOST_NAMES", 0)
    texts = {f"m{n}.py": f"import m{n + 1}\nimport m{n + 2}\nshared = own_{n}\n" for n in range(4)}
    files(texts)
    for name, text in texts.items():
        put(writer, name, text)
    with writer.transaction():
        writer.resolve_imports(DiskTree(root), None)
        writer.resolve_imports(DiskTree(root), list(texts))
    # Of 8 imports 5 lead to a file; m1 to m5, own_0 to own_3 and `shared` are names, however often they were forgotten.
    assert counts(path)[-2:] == [8, 5]
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*), count(DISTINCT name) FROM names").fetchone() == (10, 10)
    files_of_shared = "SELECT count(*) FROM occurrences WHERE name = (SELECT id FROM names WHERE name = 'shared')"
    assert connection.execute(files_of_shared).fetchone() == (4,)
    connection.close()
