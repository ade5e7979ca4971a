"""``shardlight status``: what is drawn, and how it is left."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from lsp_server.cli import status as cli
from lsp_server.cli.main import main
from lsp_server.cli.status_view import NONE, frame
from lsp_server.inference.watching import EngineFacts, SequenceFacts
from lsp_server.statistics.events import Accepted, Rejected, Shown
from lsp_server.statistics.recorder import Statistics, default_path
from lsp_server.statistics.report import Figures, Report
from tests.support.terminal import Terminal

ENGINE = EngineFacts(
    model="my [own] model",
    state="ready",
    url="http://127.0.0.1:4711",
    pid=12,
    path="/models/[m].gguf",
    sequences=(
        SequenceFacts("completion", True, 1200, 8192),
        SequenceFacts("completion", False, 300, 8192),
        SequenceFacts("assistant", False, 0, 8192),
    ),
    clients=1,
    running=1,
    waiting=2,
    writing=26.4,
    reading=1130.0,
    first_token_s={"completion": 0.0451, "assistant": 1.26},
    reuse=0.93,
    guesses=0.6,
    resident_bytes=1_500_000_000,
    planned_bytes=1_400_000_000,
)
REPORT = Report(date(2026, 1, 1), 7, 2, Figures(132, 9, 30, 4, 66, 0, 0, 100.0, 200.0), {})


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")


def drawn(*engines: EngineFacts, report: Report | None = None, hint: str = "") -> list[str]:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(frame(engines, report, hint))
    return [" ".join(line.split()) for line in captured.get().splitlines() if line.strip()]


def test_an_engine_at_work() -> None:
    assert drawn(ENGINE, report=REPORT, hint="q leaves") == [
        "my [own] model ready",
        "used by 1 program",
        "completion ●◐ 1,500 of 16,384 tokens",
        "assistant ○ 0 of 8,192 tokens",
        "requests 1 run, 2 wait",
        "tokens/s 26.4 writing, 1,130 reading",
        "first token assistant 1.3 s, completion 45 ms (median)",
        "reuse 93% of the prompts' tokens were there already",
        "guesses 60% of the tokens guessed ahead were right",
        "memory 1.5 GB in use, 1.4 GB planned",
        "address http://127.0.0.1:4711, process 12",
        "file /models/[m].gguf",
        "Suggestions of the last 7 days: 132 shown, 34% of those looked at accepted. More: `shardlight stats`.",
        "q leaves",
    ]


def test_one_that_loads_has_told_little() -> None:
    lines = drawn(EngineFacts("m", "loading 40%", "http://127.0.0.1:1", 12, "/m.gguf", resident_bytes=5_000_000))
    assert lines == ["m loading 40%", "memory 5.0 MB in use", "address http://127.0.0.1:1, process 12", "file /m.gguf"]


def test_several_engines_are_below_each_other_and_none_says_what_to_do() -> None:
    assert drawn(ENGINE, ENGINE).count("my [own] model ready") == 2
    assert drawn() == [NONE]


def test_once_is_the_default_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    statistics = Statistics(default_path())
    for event in (Shown("go", 1, 9, False), Accepted("go", 3), Rejected("go")):
        statistics.record(event)
    statistics.close()
    for words in (["status"], ["status", "--once"], ["engine", "status"]):
        assert main(words) == 0
        text = capsys.readouterr().out
        assert NONE in text
        assert "1 shown, 50% of those" in text


def test_counts_that_cannot_be_read_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    default_path().parent.mkdir(parents=True, exist_ok=True)
    default_path().write_bytes(b"no database " * 100)
    assert main(["status"]) == 0
    assert "Suggestions" not in capsys.readouterr().out


def test_for_programs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli._Engines, "__call__", lambda _self: [ENGINE])
    assert main(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["engines"][0]["sequences"][0] == {"lane": "completion", "busy": True, "tokens": 1200, "n_ctx": 8192}
    assert told["engines"][0]["first_token_s"]["completion"] == 0.0451
    assert told["suggestions"]["total"]["shown"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals there")
@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "ctrl-c"])
def test_in_a_terminal_it_stays_until_a_key(key: bytes) -> None:
    terminal = Terminal("status")
    terminal.until(b"q leaves")
    terminal.type(b"x")
    terminal.type(key)
    assert terminal.exit_code() == 0
    # The screen that was there before is back.
    assert b"\x1b[?1049h" in terminal.shown
    assert terminal.shown.rindex(b"\x1b[?1049l") > terminal.shown.rindex(b"\x1b[?1049h")
