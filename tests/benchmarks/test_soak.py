from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.soak import report
from benchmarks.soak.record import Record, read
from benchmarks.soak.samples import sizes


def minute(number: int, *, pss: float = 70e6, latency: float = 10.0, unit: float = 5.0) -> dict[str, Any]:
    one = {"pss": pss, "uss": pss, "rss": pss, "descriptors": 9, "threads": 7, "children": 1}
    return {
        "kind": "minute",
        "minute": number,
        "processes": {"inline": one, "popups": one, "engine 0": one, "guest": None},
        "files": {"state": {"a": 1000}, "cache": {"b": 2000, "c": 3000}},
        "calibration_ms": [unit, unit * 0.9, unit * 1.1],
        "latencies": {"names": [latency] * 5},
        "counts": {"inline: at a key: cancelled": 2},
        "cores": 0.4,
    }


def seen(*minutes: dict[str, Any], end: bool = True, events: tuple[dict[str, Any], ...] = ()) -> report.Seen:
    start = {"kind": "start", "minutes": len(minutes), "seed": 1}
    last = [{"kind": "end", "left": [], "zombies": 0}] if end else []
    return report.Seen([start, *minutes, *({"kind": "event", **event} for event in events), *last])


def rows(lines: list[str], name: str) -> list[str]:
    return [cell.strip() for line in lines if line.startswith(f"| {name}") for cell in line.strip("|").split("|")[1:]]


def test_what_stays_the_same_is_all_right() -> None:
    found = seen(*(minute(number) for number in range(8)))
    assert report.problems(found) == []
    lines = report.table(found)
    assert rows(lines, "server, popups, PSS in MB") == ["70.0", "70.0", "70.0", "70.0", "1.00"]
    assert lines[-1].startswith("Nothing was lost")
    assert lines[0].startswith("8 minutes; 40 requests answered, 16 suggestions cancelled by the next key")


def test_what_grows_is_told() -> None:
    found = seen(*(minute(number, pss=70e6 + number * 2e6) for number in range(8)))
    assert len(report.problems(found)) == 2
    assert "pss grew from" in report.table(found)[-1]


def test_warming_up_is_no_growth() -> None:
    assert report.problems(seen(*(minute(number, pss=40e6 if number < 2 else 70e6) for number in range(8)))) == []


def test_a_busy_machine_does_not_make_answers_slower() -> None:
    """In the second half all takes three times as long: the fixed piece of work, too."""
    found = seen(*(minute(n, latency=10.0 * (1 + 2 * (n > 3)), unit=5.0 * (1 + 2 * (n > 3))) for n in range(8)))
    assert rows(report.table(found), "names") == ["40", "2.00", "2.00", "2.00", "2.00", "1.00"]


def test_what_was_lost_is_told() -> None:
    lost = {"what": "lost", "text": "Traceback\nbenchmarks.soak.window.LostError: x was not answered.\n"}
    events = (lost, lost, {"what": "engine gone, not by us", "pid": 1})
    found = seen(*(minute(number) for number in range(4)), end=False, events=events)
    assert report.problems(found) == [
        "a window was given up (x was not answered), 2 ×",
        "the run was broken off, so that what is left over at its end is not known",
    ]
    assert report.table(found)[-1].endswith("Engines that ended otherwise: 1.")


def test_a_run_that_was_broken_off_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "seen.jsonl"
    record = Record(path)
    record.start(minutes=1, seed=1)
    record.answered("names", 0.0123)
    record.count("paste")
    record.minute(minute=1)
    record.minute(minute=2)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"kind": "minu')
    start, first, second = read(path)
    assert start["kind"] == "start"
    assert (first["latencies"], first["counts"]) == ({"names": [12.3]}, {"paste": 1})
    assert (second["latencies"], second["counts"]) == ({}, {})


def test_files_are_counted_by_their_folders(tmp_path: Path) -> None:
    for name, size in {"a/b.txt": 3, "a/c.txt": 4, "a/deep/d.txt": 5}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x" * size, encoding="utf-8")
    assert sizes(tmp_path) == {"a": 7, "a/deep": 5}
