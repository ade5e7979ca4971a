from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.shell import LocalShell


@pytest.fixture
def shell_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], LocalShell]:
    """Makes a shell over a module's source."""
    return lambda source: LocalShell(source, tmp_path, monkeypatch)
