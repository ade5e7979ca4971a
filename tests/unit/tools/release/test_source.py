"""What a release is made from, with a real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tools.release import source


def git(root: Path, *words: str) -> None:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "core.autocrlf=false"]
    environ = {**os.environ, "GIT_COMMITTER_DATE": "@1700000000 +0000", "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *who, *words], cwd=root, env=environ, check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout of one commit, with something that git ignores."""
    folder = tmp_path / "checkout"
    (folder / "sub").mkdir(parents=True)
    (folder / ".gitignore").write_text("*.log\n", encoding="utf-8")
    (folder / "sub" / "größe.txt").write_text("ü\n", encoding="utf-8")
    (folder / "run").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "run").chmod(0o700)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    (folder / "noise.log").touch()
    return folder


def test_the_time_of_a_release_is_its_commits(root: Path) -> None:
    assert source.epoch(root) == 1_700_000_000
    assert len(source.commit(root)) == 40


def test_what_git_ignores_is_neither_exported_nor_counted(root: Path, tmp_path: Path) -> None:
    source.export(root, tmp_path / "copy")
    files = {
        path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*") if path.is_file()
    }
    assert files == {".gitignore", "run", "sub/größe.txt"}
    assert source.uncommitted(root) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no permission to run a file")
def test_permissions_do_not_depend_on_the_umask(root: Path, tmp_path: Path) -> None:
    (root / ".gitignore").chmod(0o600)
    source.export(root, tmp_path / "copy")
    assert [(tmp_path / "copy" / name).stat().st_mode & 0o777 for name in (".gitignore", "run")] == [0o644, 0o755]


def test_what_is_not_committed_is_named(root: Path) -> None:
    (root / "run").write_text("changed\n", encoding="utf-8")
    (root / "new").mkdir()
    (root / "new" / "ä b.txt").touch()
    (root / "sub" / "größe.txt").unlink()
    assert sorted(source.uncommitted(root)) == ["new/ä b.txt", "run", "sub/größe.txt"]


def test_a_file_that_was_removed_is_not_exported(root: Path, tmp_path: Path) -> None:
    (root / "run").unlink()
    source.export(root, tmp_path / "copy")
    assert not (tmp_path / "copy" / "run").exists()
