"""What is in the way of a release is said, with the way out."""

from __future__ import annotations

import pytest

from tools.release import source
from tools.release.__main__ import main


def test_what_is_not_committed_is_no_release(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(source, "uncommitted", lambda _root: ["a.py", "b.py"])

    assert main(["build"]) == 1
    said = capsys.readouterr().err
    assert "2 files are not as they were committed, a.py for one" in said
    assert "make release DRAFT=1" in said
