"""Results as files and as data, and what is made of them."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import bars, conditions, figures, results, summary, tables, team
from benchmarks.engine.outcome import Setup
from benchmarks.engine.versions import versions
from benchmarks.ratios import comparisons
from benchmarks.results import Result


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "benchmarks" / "results")
    monkeypatch.delenv(results.QUICK, raising=False)
    return results.FOLDER


LINES = ["Told.", "", "## Speed", "", "| | tok/s | p95 | p95 |", "|---|--:|--:|--:|", "| ours | 1,024 | 2 | 3 |"]


def test_a_result_is_written_for_people_and_as_data(folder: Path) -> None:
    path = results.write_markdown("speed", "python -m x", LINES, numbers={"ms": [1.5]}, peers={"llama-server": "b1"})

    text = path.read_text(encoding="utf-8").splitlines()
    assert text[0] == "<!-- Written by `python -m x`; not edited. -->"
    assert text[2].startswith("`python -m x` on ")
    assert "llama-server b1; commit " in text[2]
    assert text[4:] == LINES
    data = json.loads((folder / "speed.json").read_text(encoding="utf-8"))
    assert list(data) == ["command", "conditions", "tables", "numbers"]
    assert data["numbers"] == {"ms": [1.5]}
    assert data["tables"] == [
        {"title": "Speed", "head": ["", "tok/s", "p95", "p95"], "rows": [["ours", "1,024", "2", "3"]]}
    ]
    found = data["conditions"]
    assert list(found) == ["cpu", "cores", "memory_gb", "system", "versions", "commit", "date", "load"]
    assert {"Python", "shardlight", "llama-cpp-python", "llama-server"} <= found["versions"].keys()
    assert found["cores"] > 0
    assert found["memory_gb"] > 0
    assert found["date"].endswith("+00:00")


def test_a_result_names_no_place_of_the_machine(folder: Path) -> None:
    import getpass
    import platform

    path = results.write_markdown("speed", "python -m x", LINES)
    text = path.read_text(encoding="utf-8") + path.with_suffix(".json").read_text(encoding="utf-8")

    assert str(Path.home()) not in text
    assert str(Path.cwd()) not in text
    assert platform.node() not in text
    assert getpass.getuser() not in text.split()


def test_what_is_written_can_be_read(folder: Path) -> None:
    path = results.write_markdown("speed", "python -m x", LINES, numbers=[1])
    as_data = results.read("speed", folder)
    path.with_suffix(".json").unlink()
    as_text = results.read("speed", folder)

    assert as_data
    assert as_text
    assert as_data.tables == as_text.tables
    assert as_data.command == as_text.command == "python -m x"
    assert as_data.numbers == [1]
    assert results.read("nothing", folder) is None


def test_a_file_of_numbers_from_before_is_passed_over(folder: Path) -> None:
    path = results.write_markdown("speed", "python -m x", LINES)
    path.with_suffix(".json").write_text("[1, 2]", encoding="utf-8")

    assert results.read("speed", folder) == Result("python -m x", tuple(tables.tables(LINES)))


def test_a_quick_run_overwrites_no_results(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = folder.parent.parent / "page.md"
    full = results.write_markdown("speed", "full", LINES)
    page.write_text("<!-- begin x -->\nold\n<!-- end x -->\n", encoding="utf-8")
    monkeypatch.setenv(results.QUICK, "1")
    quick = results.write_markdown("speed", "quick", LINES)
    results.insert("page.md", "x", "quick", ["new"])

    assert quick == folder / "quick" / "speed.md"
    assert "full" in full.read_text(encoding="utf-8")
    assert "new" not in page.read_text(encoding="utf-8")
    monkeypatch.delenv(results.QUICK)
    results.insert("page.md", "x", "full", ["new"])
    assert page.read_text(encoding="utf-8") == "<!-- begin x -->\nMade by `full`.\n\nnew\n<!-- end x -->\n"


@pytest.mark.skipif(os.name == "nt", reason="a script is no program there")
def test_versions_of_others_are_what_they_say(tmp_path: Path) -> None:
    server = tmp_path / "llama-server"
    server.write_text("#!/bin/sh\necho 'warming up'\necho 'version: 9 (abc)' >&2\n", encoding="utf-8")
    server.chmod(0o755)
    package = tmp_path / "node_modules" / "node-llama-cpp" / "package.json"
    package.parent.mkdir(parents=True)
    package.write_text('{"version": "3.1"}', encoding="utf-8")

    assert versions(Setup(tmp_path, llama_server=server, node_llama_cpp=tmp_path)) == {
        "llama-server": "9 (abc)",
        "node-llama-cpp": "3.1",
    }
    assert versions(Setup(tmp_path)) == {}


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_a_commit_tells_what_was_changed_since(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@y", *arguments],  # noqa: S607
            check=True,
            capture_output=True,
        )

    assert conditions.commit(tmp_path) == "unknown"
    git("init")
    code = tmp_path / "lsp_server" / "a.py"
    for name in ("lsp_server", "prompts", "benchmarks/results", "tools", "docs"):
        (tmp_path / name).mkdir(parents=True)
    code.write_text("1\n")
    git("add", ".")
    git("commit", "-m", "x")
    clean = conditions.commit(tmp_path)
    (tmp_path / "benchmarks" / "results" / "speed.md").write_text("2\n")
    (tmp_path / "docs" / "page.md").write_text("2\n")

    assert conditions.commit(tmp_path) == clean
    code.write_text("2\n")
    changed = conditions.commit(tmp_path)
    assert changed.startswith(f"{clean}+")
    (tmp_path / "lsp_server" / "new.py").write_text("3\n")
    assert conditions.commit(tmp_path) not in (clean, changed)


def test_tables_are_found_with_their_headings() -> None:
    found = tables.tables(
        ["| a | b |", "|---|--:|", "| 1 | 2 |", "| odd |", "", "# T", "no table | here", "| c |", "|---|"]
    )

    assert found == [
        tables.Table("", ("a", "b"), (("1", "2"),)),
        tables.Table("T", ("c",), ()),
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1.71 × (1.00 to 4.00)", [1.71, 1, 4]),
        ("1,099 tokens", [1099]),
        ("-0.5 MiB", [-0.5]),
        ("61%", [61]),
        ("6.37e+03", [6370]),
        ("–", []),
    ],
)
def test_figures_in_cells(cell: str, expected: list[float]) -> None:
    assert tables.numbers(cell) == expected
    assert tables.number(cell) == expected[0] if expected else math.isnan(tables.number(cell))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("605 ms, 0.39 ×", [0.39]), ("1.70 × in all, median 1.85 ×", [1.7, 1.85]), ("nan ×", []), ("no peer", [])],
)
def test_multiples_in_cells(cell: str, expected: list[float]) -> None:
    assert tables.times(cell) == expected


def test_a_comparison_of_which_nothing_came_is_left_out() -> None:
    """As in a quick run, in which there was no pause with suggestions of both."""
    wait = _result(
        "| measure | bar | measured | met |", "|---|---|---|---|",
        "| wait: median at a pause | ≤ 0.5 × llama.vim | nan × | **no** |",
    )  # fmt: skip

    assert comparisons({"completion-wait": wait}) == []
    if importlib.util.find_spec("matplotlib"):
        assert figures.against_llama_server({"completion-wait": wait}) is None


def _result(*lines: str) -> Result:
    return Result("python -m benchmarks.x", tuple(tables.tables(lines)))


def test_bars_are_found_whether_met_or_not() -> None:
    stated = _result(
        "| measure | bar | measured | met |", "|---|---|---|---|",
        "| a | ≤ 1 | 2 | **no** |", "| b | ≤ 1 | 1 | yes |", "| c | x | no peer | not compared |",
    )  # fmt: skip
    beside = _result(
        "| | | bar |", "|---|--:|--:|",
        "| edit | 23.9 ms, p95 51.5 ms of 100 | 50 ms |", "| size | 77 MB (74 MB when built) | 150 MB |",
        "| other | 3 s | |",
    )  # fmt: skip
    faults = _result(
        "| fault | the next one works |", "|---|---|",
        "| killed | 49 of 50 (1.7 s, longest 2.0 s) |", "| loop | 3 engines |",
    )  # fmt: skip
    found = bars.all_bars({"engine": stated, "index": beside, "faults": faults})

    assert [(line.measure, line.met) for line in found] == [
        ("a", False),
        ("b", True),
        ("c", None),
        ("faults: the next request works", False),
        ("index: edit", False),
        ("index: size", True),
    ]
    assert summary.counted(found) == "Of 6 bars 2 are met, 3 are not, 1 not compared."


def test_planned_memory_is_held_against_its_bars() -> None:
    head = ["| model | step | | real, MiB | formulas | off | simulated | off |", "|---|--:|---|--:|--:|--:|--:|--:|"]
    good = ["| m | 1 | weights | 1 | 1 | +0.0% | 1 | +2.0% |", "| | | compute | 1 | 1 | +14.0% | 1 | -15.0% |"]
    bad = ["| m | 2 | weights | 1 | 1 | +0.0% | 1 | -2.1% |", "| | | compute | 1 | 1 | +0.0% | 1 | +0.0% |"]

    (line,) = bars.all_bars({"memory": _result(*head, *good, *bad)})
    assert (line.measured, line.met) == ("1 of 2 settings", False)


def test_a_peer_that_is_ahead_is_said_to_be() -> None:
    engine = _result(
        "| measure | bar | measured | met |", "|---|---|---|---|",
        "| prefill | ≥ 1.0 × the best peer | 0.90 × | **no** |",
        "| typing: wall time to 24 tokens, p50 | ≤ 0.5 × llama-server | 605 ms, 0.39 × | yes |",
        "", "## Typing", "", "| | requests | evaluated, median | TTFT ms, median |", "|---|--:|--:|--:|",
        "| ours: all but jumps | 9 | 1 | 39 |", "| llama-server -ub 512: all but jumps | 9 | 186 | 999 |",
    )  # fmt: skip
    found = {row.measure: row for row in comparisons({"engine": engine})}

    assert found["Reading a prompt"].ahead == "the other"
    assert found["Typing: until 24 tokens are there, median"].ahead == "Shardlight"
    assert found["Typing: prompt tokens evaluated a keystroke, median"].said == "1 : 186"


def test_the_pages_are_those_of_the_results() -> None:
    """Who changes results makes the pages anew: python -m benchmarks.summary; python -m benchmarks.team."""
    there = summary.found()
    page = (results.FOLDER.parent.parent / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    readme = (results.FOLDER.parent.parent / "README.md").read_text(encoding="utf-8")
    deployment = (results.FOLDER.parent.parent / "docs" / "deployment.md").read_text(encoding="utf-8")

    assert "\n".join(summary.bars_table(bars.all_bars(there), there, "../benchmarks/results/")) in page
    assert "\n".join(summary.peers_table(comparisons(there), "benchmarks/results/")) in readme
    assert "\n".join(team.lines()) in deployment


def test_waiting_is_that_of_an_m_d_1_queue() -> None:
    assert team.waiting(0.0, 1.0) == 0.0
    assert team.waiting(0.5, 1.0) == pytest.approx(0.5)
    assert team.waiting(2 / 3, 0.1) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="a load of 1"):
        team.waiting(1, 0.1)


def test_a_team_is_reckoned_from_what_typing_costs() -> None:
    typing = team.Typing(requests=0.5, evaluated=100)
    rates = team.Rates(prefill=10_000, decode=400)

    assert team.seconds(typing, rates, 8) == pytest.approx(0.03)
    now = team.at_once(typing, rates)
    # 100 keystrokes a minute at their slowest: 50 requests of 0.03 s; at two thirds of a minute 26.7 of them.
    assert now.high == pytest.approx(2 / 3 * 60 / (50 * 0.03))
    assert now.low == pytest.approx(2 / 3 * 60 / (125 * 0.07))
    assert team.in_a_team(now).high == pytest.approx(20 * now.high)
    assert team.Range(2.6, 13.1).shown() == "2 to 20"
