"""``shardlight stats``."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lsp_server.cli.main import main
from lsp_server.statistics.events import Accepted, AcceptedPart, Event, Rejected, Shown
from lsp_server.statistics.recorder import Statistics, default_path


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's counts are; the output is wide enough for a path."""
    for kind in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    monkeypatch.setenv("COLUMNS", "200")
    return default_path()


def record(*events: Event, days_ago: int = 0) -> None:
    day = datetime.now().astimezone().date() - timedelta(days=days_ago)
    statistics = Statistics(default_path(), today=lambda: day)
    for event in events:
        statistics.record(event)
    statistics.close()


def shown(language: str, latency_ms: float = 100, *, from_cache: bool = False) -> Shown:
    return Shown(language, 10, latency_ms, from_cache)


def row(output: str, language: str) -> list[str]:
    (line,) = [line for line in output.splitlines() if line.startswith(f"{language} ")]
    return line.split()


def test_before_anything_was_shown(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats"]) == 0
    output = capsys.readouterr().out
    assert "No suggestions were shown" in output
    assert str(path) in output
    assert "nothing of it leaves this machine" in output
    assert not path.exists()


def test_the_table(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(shown("go"), shown("go", from_cache=True), shown("rust", 2000), Accepted("go", 1234), Rejected("go"))
    record(shown("go"), AcceptedPart("go", 6), days_ago=3)

    assert main(["stats"]) == 0
    output = capsys.readouterr().out
    assert "4 suggestions on 2 days" in output
    assert "1,240 characters were accepted" in output
    assert row(output, "go")[1:8] == ["3", "1", "1", "1", "67%", "1,240", "33%"]
    assert row(output, "rust")[1:8] == ["1", "0", "0", "0", "–", "0", "0%"]
    assert row(output, "all")[1:5] == ["4", "1", "1", "1"]
    assert str(path) in output


def test_one_language_needs_no_sum(capsys: pytest.CaptureFixture[str]) -> None:
    record(shown("go"))
    main(["stats"])
    output = capsys.readouterr().out
    assert "on 1 day since" in output
    assert not [line for line in output.splitlines() if line.startswith("all ")]


def test_days(capsys: pytest.CaptureFixture[str]) -> None:
    record(shown("go"), days_ago=2)
    counts = []
    for days in ("2", "3"):
        main(["stats", "--days", days, "--json"])
        counts.append(json.loads(capsys.readouterr().out)["total"]["shown"])
    assert counts == [0, 1]


@pytest.mark.parametrize("days", ["0", "-1", "week"])
def test_days_that_are_none(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["stats", f"--days={days}"])
    assert days in capsys.readouterr().err


def test_for_programs(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(shown("go"), Accepted("go", 7))
    assert main(["stats", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["path"] == str(path)
    assert told["days"] == 30
    assert told["languages"]["go"]["savedCharacters"] == 7


def test_reset(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(shown("go"))
    assert main(["stats", "--reset"]) == 0
    assert str(path) in capsys.readouterr().out
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM counts").fetchone() == (0,)


def test_a_damaged_file_is_named_with_the_way_out(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database at all, " * 100)
    assert main(["stats"]) == 1
    errors = capsys.readouterr().err
    assert str(path) in errors
    assert "shardlight stats --reset" in errors

    assert main(["stats", "--reset"]) == 0
    assert main(["stats"]) == 0
