"""`make bench`: the table of what is measured, and how it is run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks import __main__ as command
from benchmarks.areas import AREAS, PEERS, Area
from benchmarks.conditions import ROOT
from benchmarks.results import BARS_MISSED
from benchmarks.running import Run, run_all
from tools import peers
from tools.editors.fetching import NotHereError

# Processes that benchmarks start, and what makes pages of results.
_NO_AREAS = {
    "benchmarks",
    "benchmarks.completion.in_judge",
    "benchmarks.engine.contender_process",
    "benchmarks.summary",
    "benchmarks.team",
}


def _modules() -> Iterable[str]:
    for path in sorted((ROOT / "benchmarks").rglob("*.py")):
        if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8"):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")


def test_every_benchmark_is_an_area() -> None:
    assert set(_modules()) == {area.module for area in AREAS} | _NO_AREAS


def test_every_choice_of_a_benchmark_is_an_area() -> None:
    """Of those with several measures each is named."""
    for module in ("actions", "faults", "sharing"):
        text = (ROOT / "benchmarks" / module / "__main__.py") if module != "sharing" else ROOT / "benchmarks/sharing.py"
        choices = re.search(r"choices=\[([^]]+)\]", text.read_text(encoding="utf-8"))
        assert choices
        named = {area.full[0] for area in AREAS if area.module == f"benchmarks.{module}"}
        assert named == set(re.findall(r'"([\w-]+)"', choices[1])), module


def test_names_and_results_are_unique() -> None:
    results = [name for area in AREAS for name in area.results]

    assert len({area.name for area in AREAS}) == len(AREAS)
    assert len(set(results)) == len(results)


def test_every_result_that_there_is_belongs_to_an_area() -> None:
    """But those of some rows of the engine's alone."""
    known = {name for area in AREAS for name in area.results}
    there = {path.stem for path in (ROOT / "benchmarks" / "results").glob("*.md")}

    assert {name for name in there - known if not name.startswith("engine-")} == set()


def test_a_quick_run_is_short() -> None:
    assert sum(area.minutes[0] for area in AREAS if area.quick is not None) <= 17


def test_the_list_shows_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [area.name for area in AREAS]


def test_an_unknown_area_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--only", "enigne"])
    assert "there is no area enigne; --list shows them" in capsys.readouterr().err


@pytest.mark.parametrize("need", sorted({need for area in AREAS for need in (*area.needs, *area.needs_in_full)}))
def test_whatever_an_area_needs_is_looked_for(need: str) -> None:
    area = replace(AREAS[0], needs=(), needs_in_full=(need,))
    lack = command.lacking(area, peers=(), quick=False)

    assert command.lacking(area, peers=(), quick=True) == ""

    assert lack == "" or need in lack or need in ("gpu", "linux")
    if need in PEERS:
        assert command.lacking(area, peers=(need,), quick=False) == ""


_FAKE = """
import json, os, sys
from pathlib import Path
name, code = sys.argv[1], int(sys.argv[2])
print("I am", name, sys.argv[3:], os.environ.get("BENCH_QUICK"))
if code != 1:
    (Path(os.environ["FAKE_RESULTS"]) / f"{name}.json").write_text("{}")
sys.exit(code)
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def run(tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run of areas whose module is `fake`."""
    (tmp_path / "fake.py").write_text(_FAKE, encoding="utf-8")
    results = tmp_path / "results"
    results.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("FAKE_RESULTS", str(results))
    monkeypatch.delenv("BENCH_QUICK", raising=False)
    return Run(True, "abc", results, tmp_path / "logs", lambda _area: "", {}, said.append)


def _area(name: str, code: int = 0) -> Area:
    return Area(name, "fake", (name, str(code), "full"), (name, str(code), "quick"), (1, 2), (name,))


def _log(run: Run, name: str) -> str:
    return (run.logs / f"{name}.log").read_text(encoding="utf-8")


def test_areas_are_run_one_after_the_other(run: Run, said: list[str]) -> None:
    assert run_all(run, [_area("one"), _area("two")]) == []

    assert [line.split(" …")[0] for line in said[::2]] == ["[1 of 2, 0:00] one", "[2 of 2, 0:00] two"]
    assert _log(run, "one") == "I am one ['quick'] 1\n"


def test_a_full_run_is_not_a_quick_one(run: Run) -> None:
    run_all(replace(run, quick=False), [_area("one")])

    assert _log(run, "one") == "I am one ['full'] None\n"


def test_one_that_fails_does_not_keep_the_others(run: Run, said: list[str]) -> None:
    assert run_all(run, [_area("bad", 1), _area("good")]) == ["bad"]

    assert "exit code 1" in said[1]
    assert "I am bad" in said[2]
    assert run.is_done(_area("good"))
    assert not run.is_done(_area("bad"))


def test_a_bar_that_is_not_met_is_no_failure(run: Run, said: list[str]) -> None:
    assert run_all(run, [_area("slow", BARS_MISSED)]) == []

    assert said[1].endswith("a bar is not met")
    assert run.is_done(_area("slow"))


def test_what_has_results_of_this_commit_is_not_run_again(run: Run, said: list[str]) -> None:
    run_all(run, [_area("one")])
    run_all(run, [_area("one")])
    assert said[-1] == "[1 of 1, 0:00] one: has results of this commit"

    run_all(run, [_area("one")], again=True)
    assert "…" in said[-2]
    run_all(replace(run, commit="def"), [_area("one")])
    assert "…" in said[-2]
    (run.results / "one.json").unlink()
    assert not replace(run, commit="def").is_done(_area("one"))


def test_what_cannot_be_run_is_left_out_and_said(run: Run, said: list[str]) -> None:
    lacking = replace(run, lacking=lambda area: "there is no GPU" if area.name == "gpu" else "")

    assert run_all(lacking, [_area("gpu"), replace(_area("long"), quick=None), _area("one")]) == []
    assert said[0].endswith("gpu: left out, there is no GPU")
    assert said[1].endswith("long: only in a full run")
    assert run.is_done(_area("one"))


def test_peers_that_are_here_are_named_to_those_that_take_them(run: Run) -> None:
    with_peer = replace(run, peers={"llama-server": Path("/peers/llama-server")})

    assert with_peer.arguments(replace(_area("one"), beside=tuple(PEERS)))[-2:] == (
        "--llama-server",
        "/peers/llama-server",
    )
    assert with_peer.arguments(_area("one")) == ("one", "0", "quick")


_STOPPED = """
import sys
from pathlib import Path
from benchmarks.areas import Area
from benchmarks.running import Run, run_all
folder = Path(sys.argv[1])
area = Area("slow", "slow", (), (), (1, 1), ("slow",))
try:
    run_all(Run(True, "abc", folder, folder / "logs", lambda _area: "", {}, print), [area, area])
except KeyboardInterrupt:
    sys.exit(130)
"""
_SLOW = """
import subprocess, sys, time
from pathlib import Path
folder = Path(__file__).parent
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(folder / "left").write_text(str(left.pid))
try:
    (folder / "begun").touch()
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(0.2)
    (folder / "tidied up").touch()
    raise
"""


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.skipif(os.name == "nt", reason="a process cannot be sent Ctrl-C there")
def test_ctrl_c_waits_until_the_benchmark_has_tidied_up(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(_SLOW, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-c", _STOPPED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)

    assert process.wait(60) == 130
    assert (tmp_path / "tidied up").exists()
    while _runs(int((tmp_path / "left").read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert json.dumps(sorted(p.name for p in (tmp_path / "logs").iterdir())) == '["slow.log"]'


def test_a_peer_that_cannot_be_had_is_said_to_be_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def nowhere(_folder: Path) -> Path:
        raise NotHereError("the package registry does not have it: no network")

    monkeypatch.setattr(peers, "llama_server", nowhere)
    monkeypatch.setattr(peers, "node_llama_cpp", lambda folder: folder / "node")
    monkeypatch.setattr(peers, "cache_folder", lambda: tmp_path)

    assert command.here(["llama-server", "node-llama-cpp"]) == {"node-llama-cpp": tmp_path / "node"}
    assert "Without llama-server: the package registry does not have it" in capsys.readouterr().err


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (1, 1)])
def test_the_command_tells_at_the_end_what_failed(
    run: Run, code: int, expected: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    areas = (replace(_area("one", code), beside=("llama-server",)), _area("two"), replace(_area("long"), quick=None))
    monkeypatch.setattr(command, "AREAS", areas)
    monkeypatch.setattr(command, "ROOT", run.results.parent)
    monkeypatch.setattr(command, "LOGS", run.logs)
    monkeypatch.setattr(command, "folder", lambda *, quick: run.results)
    monkeypatch.setattr(command, "here", lambda _wanted: {})
    monkeypatch.setattr(command.summary, "write", lambda *, quick: run.results / "summary.md")

    assert command.main(["--again"]) == expected
    said = capsys.readouterr().out
    assert "[2 of 2, " in said
    assert "Results are in results, a summary and the plots in results/summary.md." in said
    assert "Nothing is compared with llama-server." in said
    assert ("Failed: one." in said) is bool(expected)
