from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from tools.demo.excerpt import Excerpt
from tools.demo.parts import PARTS
from tools.demo.picture import recording_console, save_picture
from tools.demo.stage import Figures, Outcome
from tools.demo.view import ConsoleView, cells

_ASKED = Excerpt("python", 8, "def two():\n    return f()", start=24, end=24)
_ANSWER = Excerpt("python", 9, "    return f(1)", start=13, end=14)
_FIGURES = Figures(ttft_s=0.4, tokens=12, tokens_per_second=25.04, total_s=1.5)


def drawn(*, terminal: bool, width: int = 60) -> tuple[ConsoleView, io.StringIO]:
    """A view, and what it has drawn."""
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, color_system="standard" if terminal else None)
    return ConsoleView(console, live=False), out


def test_plain_output_has_a_cursor_mark_line_numbers_and_nothing_else() -> None:
    view, out = drawn(terminal=False)
    view.asked("a.py", "textDocument/inlineCompletion", _ASKED)
    view.code(_ANSWER)
    assert out.getvalue() == (
        "  a.py:9   textDocument/inlineCompletion\n"
        "    8 | def two():\n"
        "    9 |     return f(<|>)\n"
        "\n"
        "    9 +     return f(1)\n"
    )


def test_a_long_line_stays_whole_in_a_pipe_and_fits_a_terminal() -> None:
    long = Excerpt("python", 1, "    " + " + ".join(["quantity"] * 12))
    view, out = drawn(terminal=False)
    view.code(long)
    assert long.text in out.getvalue()
    view, out = drawn(terminal=True)
    view.code(long)
    plain = Text.from_ansi(out.getvalue()).plain
    assert plain.count("quantity") == 12
    assert max(map(len, plain.splitlines())) <= 60


def test_a_terminal_gets_colours() -> None:
    view, out = drawn(terminal=True)
    view.diff(["@@ -1 +1 @@", "-old", "+new"])
    assert "\x1b[31m-old" in out.getvalue()
    assert "\x1b[32m+new" in out.getvalue()


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    view, out = drawn(terminal=True)
    view.diff(["-old", "+new"])
    assert "\x1b[3" not in out.getvalue()


def test_progress_in_a_pipe_is_a_line_a_quarter() -> None:
    view, out = drawn(terminal=False)
    with view.working():
        for percent in range(0, 101, 10):
            view.progress(f"Loading m: {percent}%", percent)
        view.progress("Document f: 12 tokens", None)
    assert [line.strip() for line in out.getvalue().splitlines()] == [
        "... Loading m: 0%",
        "... Loading m: 30%",
        "... Loading m: 50%",
        "... Loading m: 80%",
        "... Loading m: 100%",
    ]


def test_the_summary_names_every_part() -> None:
    view, out = drawn(terminal=False, width=80)
    outcomes = [Outcome(PARTS[0], True, "fine", _FIGURES), Outcome(PARTS[1], False, "no", None)]
    view.summary(outcomes, ["1 of 2"])
    assert f"ok      {PARTS[0].title}" in out.getvalue()
    assert f"FAILED  {PARTS[1].title}" in out.getvalue()
    assert "0.40 s   25.0      12  1.50 s" in out.getvalue()


def test_no_figures_are_no_zeros() -> None:
    assert cells(None) == ("", "", "", "")


def test_the_picture_needs_nothing_from_the_net(tmp_path: Path) -> None:
    console = recording_console()
    ConsoleView(console, live=False).code(_ANSWER)
    save_picture(console, tmp_path / "demo.svg", "demo")
    picture = (tmp_path / "demo.svg").read_text(encoding="utf-8")
    assert "@font-face" not in picture
    assert "url(" not in picture.replace("url(#", "")
    assert picture.count("http") == picture.count("http://www.w3.org/2000/svg")
