"""Links to symbols are led to their lines, and a lost one is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import generate
from tools.docs.symbols import LostSymbolError, with_lines


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text("import os\n\n\nclass A:\n    def b(self):\n        pass\n", encoding="utf-8")
    (tmp_path / "code.lua").write_text("local M = {}\n\nfunction M.ask()\nend\n\nreturn M\n", encoding="utf-8")
    return tmp_path / "page.md"


@pytest.mark.parametrize(
    ("written", "led"),
    [
        ("[`A`](code.py#L1)", "[`A`](code.py#L4)"),
        ("see [`A.b`](code.py#L99).", "see [`A.b`](code.py#L5)."),
        ("[`M.ask`](code.lua#L1)", "[`M.ask`](code.lua#L3)"),
        ("[a line](code.py#L1)", "[a line](code.py#L1)"),
        ("[`A`](code.py)", "[`A`](code.py)"),
    ],
)
def test_the_line_is_that_of_the_symbol(page: Path, written: str, led: str) -> None:
    page.write_text(written, encoding="utf-8")

    assert with_lines(page) == led


@pytest.mark.parametrize("link", ["[`A.gone`](code.py#L1)", "[`b`](code.py#L1)", "[`A`](gone.py#L1)"])
def test_a_lost_one_is_named(page: Path, link: str) -> None:
    page.write_text(link, encoding="utf-8")

    with pytest.raises(LostSymbolError, match=r"page\.md links `\w"):
        with_lines(page)


def test_the_check_of_generated_files_says_it(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text("[`gone`](code.py#L1)", encoding="utf-8")
    monkeypatch.setattr(generate, "GENERATED", {"page.md": lambda: with_lines(page)})

    assert generate.main(["--check"]) == 1
    assert "links `gone` in code.py" in capsys.readouterr().out
