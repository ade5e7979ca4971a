from __future__ import annotations

import os
from pathlib import Path

import pytest

from lsp_server.models.ledger import Ledger, read_json, write_json


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"12345")
    return path


def test_a_verified_file_is_remembered_across_instances(tmp_path: Path, model: Path) -> None:
    assert not Ledger(tmp_path / "notes").is_unchanged(model)
    Ledger(tmp_path / "notes").remember(model, "ab")
    assert Ledger(tmp_path / "notes").is_unchanged(model)
    assert Ledger(tmp_path / "notes").sha256(model) == "ab"


@pytest.mark.parametrize("change", ["size", "mtime"])
def test_a_changed_file_is_noticed_but_its_checksum_still_known(tmp_path: Path, model: Path, change: str) -> None:
    ledger = Ledger(tmp_path / "notes")
    ledger.remember(model, "ab")
    stat = model.stat()
    if change == "size":
        model.write_bytes(b"123456")
        os.utime(model, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    else:
        os.utime(model, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    assert not ledger.is_unchanged(model)
    assert ledger.sha256(model) == "ab"


def test_the_same_name_elsewhere_is_another_file(tmp_path: Path, model: Path) -> None:
    ledger = Ledger(tmp_path / "notes")
    ledger.remember(model, "ab")
    other = tmp_path / "other" / "m.gguf"
    other.parent.mkdir()
    other.write_bytes(b"12345")
    assert ledger.sha256(other) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"path": "x"}', "\udcff"])
def test_a_damaged_note_is_as_good_as_none(tmp_path: Path, model: Path, text: str) -> None:
    ledger = Ledger(tmp_path)
    (tmp_path / "m.gguf.verified.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    assert not ledger.is_unchanged(model)


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, model: Path) -> None:
    (tmp_path / "file").touch()
    ledger = Ledger(tmp_path / "file" / "notes")
    ledger.remember(model, "ab")
    assert not ledger.is_unchanged(model)


def test_json_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "x.json"
    write_json(path, {"n": 1})
    write_json(path, {"n": 2})
    assert read_json(path) == {"n": 2}
    assert list(path.parent.iterdir()) == [path]
