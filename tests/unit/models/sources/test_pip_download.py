from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import pytest

from lsp_server.errors import DiskSpaceError, DownloadError, SourceUnavailableError
from lsp_server.models.sources import pip_download as module
from lsp_server.models.sources.pip_download import pip_download
from lsp_server.models.transfer import Monitor

SILENT = Monitor(lambda _: None, lambda: False)


def ignore(size: int) -> None:
    pass


def script(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Run a small program in place of pip."""
    monkeypatch.setattr(module, "_command", lambda package, version, folder: [sys.executable, "-c", code])


def test_the_wheel_of_exactly_that_version_arrives(registry: Any, tmp_path: Path) -> None:
    registry.add("tiny-data", "1.0", {"part01.bin": b"old"})
    registry.add("tiny-data", "2.0", {"part01.bin": b"new"})
    pip_download("tiny-data", "1.0", tmp_path, ignore, SILENT)
    assert [path.name for path in tmp_path.glob("*.whl")] == ["tiny_data-1.0-py3-none-any.whl"]


def test_a_package_that_the_registry_lacks_is_named(registry: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match=r"no tiny-data 1\.0") as caught:
        pip_download("tiny-data", "1.0", tmp_path, ignore, SILENT)
    assert caught.value.hint


def test_a_source_distribution_is_not_taken(registry: Any, tmp_path: Path) -> None:
    (registry.folder / "tiny-data-1.0.tar.gz").write_bytes(b"would be unpacked and run")
    with pytest.raises(SourceUnavailableError, match=r"no tiny-data 1\.0"):
        pip_download("tiny-data", "1.0", tmp_path, ignore, SILENT)


def test_a_pip_of_the_workspace_is_not_run(registry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, staging = tmp_path / "workspace", tmp_path / "staging"
    for folder in (workspace, staging):
        folder.mkdir()
    (workspace / "pip.py").write_text("raise SystemExit('a stranger ran')", encoding="utf-8")
    monkeypatch.chdir(workspace)
    registry.add("tiny-data", "1.0", {})
    pip_download("tiny-data", "1.0", staging, ignore, SILENT)
    assert list(staging.glob("*.whl"))


def test_progress_is_reported_as_pip_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, "print('Collecting'); print('Progress 10 of 30'); print('Progress 30 of 30')")
    seen: list[int] = []
    pip_download("p", "1", tmp_path, seen.append, SILENT)
    assert seen == [10, 30]


def test_cancelling_ends_pip_while_it_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, "import time; print('Progress 1 of 2', flush=True); time.sleep(600)")
    seen: list[int] = []
    with pytest.raises(DownloadError, match="cancelled"):
        pip_download("p", "1", tmp_path, seen.append, Monitor(lambda _: None, lambda: bool(seen)))


def test_a_full_disk_is_told_from_other_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, "print('ERROR: [Errno 28] No space left on device'); raise SystemExit(1)")
    with pytest.raises(DiskSpaceError):
        pip_download("p", "1", tmp_path, ignore, SILENT)
    script(monkeypatch, "print('ERROR: 403 Client Error'); raise SystemExit(1)")
    with pytest.raises(SourceUnavailableError, match="403 Client Error"):
        pip_download("p", "1", tmp_path, ignore, SILENT)


def test_a_python_without_pip_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(SourceUnavailableError, match="has no pip") as caught:
        pip_download("p", "1", tmp_path, ignore, SILENT)
    assert "ensurepip" in caught.value.hint


@pytest.mark.parametrize(("version", "style"), [("23.0.1", "off"), ("24.1", "raw"), ("26.3.dev0", "raw")])
def test_an_old_pip_is_not_asked_for_what_it_cannot_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, style: str
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    command = module._command("p", "1", tmp_path)
    assert command[command.index("--progress-bar") + 1] == style
