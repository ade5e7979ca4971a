from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace folder, with a blank in its path; Python's tests run with this Python."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    folder = tmp_path / "work space"
    folder.mkdir()
    return folder
