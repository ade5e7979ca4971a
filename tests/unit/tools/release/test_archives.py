"""Archives and checksums are the same wherever and whenever they are made."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools.release.archives import SUMS, different, sums, write_tar

EPOCH = 1_700_000_000


def tree(folder: Path, mtime: int, mode: int) -> dict[str, Path]:
    """Two files, written at some time by somebody with some umask."""
    folder.mkdir()
    files = {}
    for name, text in (("b/run", "#!/bin/sh\n"), ("a.lua", "return 1\n")):
        path = folder / name.replace("/", "-")
        path.write_text(text, encoding="utf-8")
        path.chmod(mode | (0o100 if "run" in name else 0))
        os.utime(path, (mtime, mtime))
        files[name] = path
    return files


def test_neither_time_nor_place_nor_order_nor_umask_counts(tmp_path: Path) -> None:
    one, other = tree(tmp_path / "one", 1_000, 0o644), tree(tmp_path / "other", 2_000, 0o600)
    write_tar(tmp_path / "one.tar.gz", one, EPOCH)
    write_tar(tmp_path / "two.tar.gz", dict(reversed(other.items())), EPOCH)
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no permission to run a file")
def test_an_archive_has_the_files_their_time_and_what_may_be_run(tmp_path: Path) -> None:
    write_tar(tmp_path / "x.tar.gz", tree(tmp_path / "one", 1_000, 0o600), EPOCH)
    with tarfile.open(tmp_path / "x.tar.gz") as archive:
        entries = [(entry.name, entry.mode, entry.mtime, entry.uid, entry.uname) for entry in archive]
        assert archive.extractfile("a.lua").read() == b"return 1\n"  # type: ignore[union-attr]
    assert entries == [("a.lua", 0o644, EPOCH, 0, ""), ("b/run", 0o755, EPOCH, 0, "")]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum")
def test_the_checksums_are_those_that_sha256sum_reads(tmp_path: Path) -> None:
    for name in ("b.whl", "a.tar.gz"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / SUMS).write_text(sums(tmp_path.glob("*.*")), encoding="utf-8")
    check = ["sha256sum", "--check", "--strict", SUMS]
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, "a.tar.gz: OK\nb.whl: OK\n")
    (tmp_path / "b.whl").write_text("another", encoding="utf-8")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_what_differs_or_is_in_one_folder_alone_is_named(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same").write_text("same", encoding="utf-8")
        (tmp_path / folder / "changed").write_text(folder, encoding="utf-8")
    (tmp_path / "other" / "alone").touch()
    assert different(tmp_path / "one", tmp_path / "other") == ["alone", "changed"]
