from __future__ import annotations

import os
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from lsp_server.context.index import database
from lsp_server.context.index.database import (
    database_path,
    databases_beside,
    delete,
    open_for_reading,
    open_for_writing,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database may be; its folder is not there yet, and has to be quoted in a URI."""
    return tmp_path / "in dex#1?" / "index.db"


def files(connection: sqlite3.Connection) -> int:
    count: int = connection.execute("SELECT count(*) FROM files").fetchone()[0]
    return count


def put_one(path: Path) -> None:
    connection = open_for_writing(path)
    connection.execute("INSERT INTO files (path, name, mtime_ns, size, hash, language) VALUES ('a', 'a', 1, 1, '', '')")
    connection.close()


def test_each_folder_has_its_own_place(tmp_path: Path) -> None:
    places = {database_path(tmp_path / name, (), tmp_path / "cache") for name in ("a", "b", "x/a", "größe 1", "")}
    assert len({place.parent for place in places}) == 5
    assert all(place.is_relative_to(tmp_path / "cache") for place in places)
    assert database_path(Path("/"), (), tmp_path)


def test_whoever_leaves_out_other_files_or_is_of_another_version_has_his_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    globs: list[tuple[str, ...]] = [(), ("a", "b"), ("a b",), ("b", "a"), ("größe",)]
    places = {database_path(tmp_path, exclude) for exclude in globs}
    assert database_path(tmp_path, ["a", "b"]) in places
    monkeypatch.setattr(database, "VERSION", database.VERSION + 1)
    places |= {database_path(tmp_path, exclude) for exclude in globs}
    assert len(places) == 10
    assert len({place.parent for place in places}) == 1


def test_without_another_folder_it_is_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "user_cache_path", lambda name, appauthor: tmp_path / name)
    assert database_path(tmp_path / "w", ()).is_relative_to(tmp_path / "shardlight" / "index")


def test_what_nobody_has_opened_for_long_goes_when_another_is_made(path: Path) -> None:
    old, used, fresh = (path.with_name(f"index-{name}.db") for name in ("old", "used", "fresh"))
    for each in (old, used):
        put_one(each)
    long_ago = used.stat().st_mtime - 91 * 86400
    for each in (old, used):
        os.utime(each, (long_ago, long_ago))
    open_for_writing(used).close()
    assert old.exists()
    put_one(fresh)
    assert databases_beside(path) == [fresh, used]


def test_there_is_nothing_to_read_before_somebody_has_written(path: Path) -> None:
    assert open_for_reading(path) is None
    assert not path.parent.exists()


def test_what_is_written_is_there_the_next_time(path: Path) -> None:
    put_one(path)
    again = open_for_writing(path)
    assert files(again) == 1
    again.close()
    reading = open_for_reading(path)
    assert reading
    assert files(reading) == 1
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reading.execute("DELETE FROM files")
    reading.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_the_user_may_look_into_the_folder(path: Path) -> None:
    put_one(path)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"nothing like a database" * 100, b"", b"SQLite format 3\0" + b"x" * 5000])
def test_what_is_damaged_is_made_anew(content: bytes, path: Path) -> None:
    put_one(path)
    path.write_bytes(content)
    connection = open_for_writing(path)
    assert files(connection) == 0
    connection.close()


def test_a_damaged_page_is_found(path: Path) -> None:
    connection = open_for_writing(path)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO names (name) VALUES (?)", [(f"{n:0300}",) for n in range(500)])
    connection.execute("COMMIT")
    connection.close()
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3 * 4096] = b"\xa5" * 3 * 4096
    path.write_bytes(data)
    again = open_for_writing(path)
    assert again.execute("SELECT count(*) FROM names").fetchone()[0] == 0
    again.close()


def test_another_version_is_not_read_and_is_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_one(path)
    monkeypatch.setattr(database, "VERSION", database.VERSION + 1)
    assert open_for_reading(path) is None
    connection = open_for_writing(path)
    assert files(connection) == 0
    connection.close()
    assert open_for_reading(path)


def test_one_that_was_hardly_begun_is_gone_on_with(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert open_for_reading(path) is None
    connection = open_for_writing(path)
    assert files(connection) == 0
    connection.close()


def test_a_folder_that_cannot_be_written_is_said(path: Path) -> None:
    path.parent.write_text("a file", encoding="utf-8")
    with pytest.raises(OSError, match=r"in dex#1\?"):
        open_for_writing(path)


def test_deleting_leaves_nothing_of_it(path: Path) -> None:
    keeping = open_for_writing(path)
    put_one(path)
    assert len(list(path.parent.iterdir())) > 1
    delete(path)
    assert list(path.parent.iterdir()) == []
    keeping.close()
    delete(path)


def test_one_that_cannot_be_deleted_is_emptied(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_one(path)
    reading = open_for_reading(path)
    assert reading
    assert files(reading) == 1

    def unlink(_path: Path) -> None:
        raise PermissionError("another process has it open")

    monkeypatch.setattr(Path, "unlink", unlink)
    delete(path)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        files(reading)
    reading.close()
    assert open_for_reading(path) is None
    assert all(b"symbols" not in each.read_bytes() for each in path.parent.iterdir())
    put_one(path)
    path.write_bytes(b"damaged" * 1000)
    with pytest.raises(PermissionError):
        delete(path)
