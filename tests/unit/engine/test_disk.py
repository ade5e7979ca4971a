from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from lsp_server.engine import disk

MIB = 2**20


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(os.urandom(17 * MIB))
    return path


def test_a_file_is_read_and_left_as_it_was(model: Path) -> None:
    before = (model.read_bytes(), model.stat().st_mtime_ns)
    assert disk.read_rate(model) > 0
    assert (model.read_bytes(), model.stat().st_mtime_ns) == before


def test_where_direct_reading_is_refused_it_is_read_all_the_same(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    real = os.open

    def refusing(path: Path, flags: int) -> int:
        opened.append(flags)
        if flags & getattr(os, "O_DIRECT", 0):
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(path, flags)

    monkeypatch.setattr(disk.os, "open", refusing)
    assert disk.read_rate(model) > 0
    assert not opened[-1] & getattr(os, "O_DIRECT", 0)


def test_in_a_folder_a_file_of_ours_is_read_and_nothing_of_it_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_SCRATCH_BYTES", 8 * MIB)
    assert disk.read_rate(tmp_path) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_nearly_full_gets_no_file_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=100 * MIB, total=10**12))
    assert disk.read_rate(tmp_path) == 0.0
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_or_too_small_has_no_rate(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"GGUF")
    assert disk.read_rate(tmp_path / "nothing") == 0.0
    assert disk.read_rate(tmp_path / "small") == 0.0


def test_files_of_a_folder_are_on_one_volume(tmp_path: Path, model: Path) -> None:
    assert disk.volume(model) == disk.volume(tmp_path)
    with pytest.raises(OSError, match="nothing"):
        disk.volume(tmp_path / "nothing")
