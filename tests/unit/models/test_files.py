from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from typing import NamedTuple

import pytest

from lsp_server.errors import DiskSpaceError, DownloadError
from lsp_server.models import files
from lsp_server.models.transfer import Monitor, Transfer


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (491_400_064, "491 MB"),
        (61_540_805_344, "61.5 GB"),
        (10**12, "1.0 TB"),
    ],
)
def test_human_size(size: int, text: str) -> None:
    assert files.human_size(size) == text


def test_sha256_reports_each_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CHUNK_BYTES", 4)
    path = tmp_path / "f"
    path.write_bytes(b"123456789")
    seen: list[Transfer] = []
    digest = files.sha256_of(path, Monitor(seen.append, lambda: False))
    assert digest == hashlib.sha256(b"123456789").hexdigest()
    assert seen == [Transfer("f", done, 9, "verify") for done in (4, 8, 9)]


def test_sha256_stops_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"123")
    with pytest.raises(DownloadError, match="cancelled"):
        files.sha256_of(path, Monitor(lambda _: None, lambda: True))


def test_set_aside_keeps_the_bytes_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"bad")
    aside = files.set_aside(path)
    assert aside == tmp_path / "m.gguf.corrupt"
    assert aside.read_bytes() == b"bad"
    assert not path.exists()


def test_set_aside_takes_the_bytes_from_the_hub_cache(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / ("a" * 64)
    link = tmp_path / "snapshots" / "m.gguf"
    for folder in (blob.parent, link.parent):
        folder.mkdir()
    blob.write_bytes(b"bad")
    link.symlink_to(Path("..") / "blobs" / blob.name)
    aside = files.set_aside(link)
    assert aside.read_bytes() == b"bad"
    assert not blob.exists()
    assert not link.is_symlink()


def test_set_aside_does_not_follow_a_link_of_the_users(tmp_path: Path) -> None:
    target = tmp_path / "precious.gguf"
    target.write_bytes(b"mine")
    link = tmp_path / "m.gguf"
    link.symlink_to(target)
    files.set_aside(link)
    assert target.read_bytes() == b"mine"
    assert not link.is_symlink()


def test_require_space_asks_the_nearest_folder_that_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def disk_usage(path: Path) -> Usage:
        asked.append(path)
        return Usage(10**12, 0, 500_000_000)

    monkeypatch.setattr("shutil.disk_usage", disk_usage)
    files.require_space(tmp_path / "not" / "yet", 300_000_000, "tiny")
    assert asked == [tmp_path]
    with pytest.raises(DiskSpaceError, match=r"tiny needs 450 MB .* only 500 MB are free") as caught:
        files.require_space(tmp_path / "not" / "yet", 450_000_000, "tiny")
    assert caught.value.hint


def test_is_disk_full() -> None:
    assert files.is_disk_full(OSError(errno.ENOSPC, "x"))
    assert files.is_disk_full(RuntimeError("io error: No space left on device (os error 28)"))
    assert not files.is_disk_full(OSError(errno.EACCES, "Permission denied"))
