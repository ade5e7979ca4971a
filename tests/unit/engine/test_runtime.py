from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lsp_server.engine import runtime
from lsp_server.engine.runtime import EngineRecord


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of this test's own."""
    monkeypatch.setattr(runtime, "user_state_path", lambda name, appauthor: tmp_path / name)
    return tmp_path


@pytest.fixture
def record() -> EngineRecord:
    """This very process as an engine."""
    return EngineRecord(
        pid=os.getpid(),
        started=psutil.Process().create_time(),
        after_boot=runtime.creation(psutil.Process())[1],
        port=8012,
        token="secret",
        model_id="small",
        model_path="/models/small.gguf",
        n_ctx=4096,
        n_gpu_layers=0,
        version="1.0",
    )


def of(record: EngineRecord, pid: int) -> EngineRecord:
    """The record as another process would have it."""
    started, after_boot = runtime.creation(psutil.Process(pid))
    return dataclasses.replace(record, pid=pid, started=started, after_boot=after_boot)


def files() -> list[str]:
    return sorted(path.name for path in runtime.runtime_directory().iterdir())


def test_what_is_written_can_be_read(record: EngineRecord) -> None:
    runtime.write("a", record)

    assert runtime.read("a") == record
    assert runtime.all_running() == [record]
    assert record.url == "http://127.0.0.1:8012"
    assert files() == ["a.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permission bits")
def test_only_the_user_can_read_it(record: EngineRecord) -> None:
    umask = os.umask(0)
    try:
        path = runtime.write("a", record)
    finally:
        os.umask(umask)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_no_record_is_none() -> None:
    assert runtime.read("a") is None
    assert runtime.all_running() == []


def test_the_record_of_a_process_that_ended_is_removed(record: EngineRecord) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    alive = of(record, process.pid)
    runtime.write("a", alive)
    assert runtime.read("a") == alive

    process.communicate(b"\n")

    assert runtime.read("a") is None
    assert files() == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no ended processes")
def test_a_process_that_was_killed_but_not_yet_collected_does_not_run(record: EngineRecord) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        killed = of(record, process.pid)
        runtime.write("a", killed)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert runtime.read("a") is None
    finally:
        process.communicate()


def test_the_record_of_a_pid_that_now_belongs_to_another_process_is_removed(record: EngineRecord) -> None:
    runtime.write("a", dataclasses.replace(record, started=record.started - 3600, after_boot=record.after_boot - 3600))

    assert runtime.read("a") is None
    assert files() == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"pid": 1}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_record_is_removed(content: bytes) -> None:
    (runtime.runtime_directory() / "a.json").write_bytes(content)

    assert runtime.read("a") is None
    assert files() == []


@pytest.mark.parametrize("change", [{"pid": "many"}, {"pid": -1}, {"started": None}])
def test_a_record_with_impossible_values_is_removed(record: EngineRecord, change: dict[str, object]) -> None:
    path = runtime.write("a", record)
    path.write_text(json.dumps({**dataclasses.asdict(record), **change}), encoding="utf-8")

    assert runtime.all_running() == []
    assert files() == []


def test_a_record_of_another_version_is_read(record: EngineRecord) -> None:
    path = runtime.write("a", record)
    older = {name: value for name, value in dataclasses.asdict(record).items() if name not in {"claims", "loaded"}}
    path.write_text(json.dumps({**older, "colour": "red"}), encoding="utf-8")

    assert runtime.read("a") == record


def test_what_is_put_there_meanwhile_stays(record: EngineRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.write("a", dataclasses.replace(record, started=0.0, after_boot=0.0))
    alive = EngineRecord.alive.fget

    def slow(stale: EngineRecord) -> bool:
        runtime.write("a", record)
        assert alive
        return bool(alive(stale))

    with monkeypatch.context() as patched:
        patched.setattr(EngineRecord, "alive", property(slow))
        assert runtime.read("a") is None
    assert runtime.read("a") == record


def test_fields_of_a_record_are_changed_by_its_own_process_only(record: EngineRecord) -> None:
    runtime.write("a", record)

    runtime.update("a", record.pid + 1, loaded=True)
    assert runtime.read("a") == record
    runtime.update("a", record.pid, loaded=True, claims={"CPU": 5})
    assert runtime.read("a") == dataclasses.replace(record, loaded=True, claims={"CPU": 5})


def test_a_file_that_is_replaced_is_told_apart(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    assert runtime.state_of(model) == ""
    model.write_bytes(b"one")
    before = runtime.state_of(model)
    assert before == runtime.state_of(model)

    aside = tmp_path / "aside"
    aside.write_bytes(b"other")
    aside.replace(model)

    assert runtime.state_of(model) != before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become somebody else")
def test_another_user_of_the_machine_finds_nothing(record: EngineRecord) -> None:
    path = runtime.write("a", record)
    # Even where every folder above is open to all.
    for parent in path.parents:
        if parent.name == "engines":
            continue
        if parent == Path(parent.anchor):
            break
        parent.chmod(parent.stat().st_mode | 0o055)
    for what in (path, path.parent):
        said = subprocess.run(["/bin/ls", "-R", what], user=65534, group=65534, capture_output=True, text=True)
        assert said.returncode
        assert "a.json" not in said.stdout
    said = subprocess.run(["/bin/cat", path], user=65534, group=65534, capture_output=True, text=True)
    assert said.returncode
    assert record.token not in said.stdout


def test_damage_spares_the_others(record: EngineRecord) -> None:
    runtime.write("b", record)
    (runtime.runtime_directory() / "a.json").write_text("{", encoding="utf-8")

    assert runtime.all_running() == [record]


def test_a_record_is_withdrawn_by_its_own_process_only(record: EngineRecord) -> None:
    runtime.write("a", record)

    runtime.remove("a", record.pid + 1)
    assert runtime.read("a") == record

    runtime.remove("a", record.pid)
    assert runtime.read("a") is None
    runtime.remove("a", record.pid)


def test_engines_are_one_per_file_and_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "model.gguf"
    model.touch()
    monkeypatch.chdir(tmp_path)
    name = runtime.key(model, 4096, -1)

    assert runtime.key(Path("model.gguf"), 4096, -1) == name
    others = [
        runtime.key(tmp_path / "other.gguf", 4096, -1),
        runtime.key(model, 8192, -1),
        runtime.key(model, 4096, 0),
    ]
    assert len({name, *others}) == 4


def test_the_log_stands_beside_the_record(record: EngineRecord) -> None:
    assert runtime.log_path("a") == runtime.write("a", record).with_suffix(".log")


@pytest.mark.parametrize("seconds", [-7200.0, 7200.0])
def test_a_clock_that_is_set_takes_no_engine_away(
    record: EngineRecord, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    runtime.write("a", record)
    boot, created = psutil.boot_time(), psutil.Process().create_time()
    # As on Linux, where both are reckoned from the clock; elsewhere the creation stays what it was.
    monkeypatch.setattr(runtime.psutil, "boot_time", lambda: boot + seconds)
    monkeypatch.setattr(psutil.Process, "create_time", lambda _process: created + seconds)
    assert runtime.read("a") == record
    monkeypatch.setattr(psutil.Process, "create_time", lambda _process: created)
    assert runtime.read("a") == record
