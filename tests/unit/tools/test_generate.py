"""Generated files are written when they differ, and a check only tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import generate


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "GENERATED", {"docs/a.md": lambda: "Ä\n", "b.json": lambda: "{}\n"})
    return tmp_path


def test_a_check_names_what_is_out_of_date_and_writes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "b.json").write_bytes(b"{}\n")
    assert generate.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "docs/a.md" in said
    assert "b.json" not in said
    assert not (root / "docs").exists()


def test_after_writing_a_check_is_content(root: Path) -> None:
    assert generate.main([]) == 0
    assert (root / "docs" / "a.md").read_bytes() == "Ä\n".encode()
    assert generate.main(["--check"]) == 0
    assert sorted(path.name for path in root.rglob("*") if path.is_file()) == ["a.md", "b.json"]


@pytest.mark.parametrize("spoiled", [b"{}", b"{}\r\n", b"\xff"])
def test_every_byte_counts(root: Path, spoiled: bytes) -> None:
    generate.main([])
    (root / "b.json").write_bytes(spoiled)
    assert generate.main(["--check"]) == 1
    generate.main([])
    assert (root / "b.json").read_bytes() == b"{}\n"


def test_what_is_up_to_date_is_left_untouched(root: Path) -> None:
    generate.main([])
    before = (root / "b.json").stat().st_mtime_ns
    generate.main([])
    assert (root / "b.json").stat().st_mtime_ns == before
