"""Steps say what they are doing, keep the noise in the log, and fail with the end of it."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from tools import progress
from tools.progress import StepFailedError, Steps, activity, duration


def run(steps: Steps, script: str, tmp_path: Path) -> None:
    steps.run([sys.executable, "-c", script], log=tmp_path / "log", cwd=tmp_path, environ=os.environ)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  [51/140] /usr/bin/g++ -DGGML_BUILD -c x.cpp", "compiling: 51 of 140, 36 %"),
        ("[140/140] : && cmake -E true", "compiling: 140 of 140, 100 %"),
        ("  [  7%] Building CXX object ggml.cpp.o", "compiling: 7 %"),
        ("Collecting pygls<3,>=2.1 (from shardlight==0.1.0)", "collecting pygls"),
        ("  Downloading numpy-2.4.6-cp311-manylinux.whl (16 MB)", "downloading numpy-2.4.6-cp311-manylinux.whl"),
        ("Installing collected packages: ruff, mypy", "installing collected packages ruff"),
        ("  -- Installing: lib/libllama.so", None),
        ("x[1/2] no", None),
        ("", None),
    ],
)
def test_what_a_line_says_is_being_done(line: str, expected: str | None) -> None:
    assert activity(line) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_steps_are_numbered(tmp_path: Path) -> None:
    stream = io.StringIO()
    steps = Steps(2, stream)
    steps.begin("one")
    steps.say("already there")
    steps.begin("two")
    assert stream.getvalue().splitlines() == ["[1/2] one", "      already there", "[2/2] two"]


def test_the_noise_goes_to_the_log_and_not_to_the_stream(tmp_path: Path) -> None:
    stream = io.StringIO()
    run(Steps(1, stream), "import sys; print('noise'); print('more', file=sys.stderr)", tmp_path)
    assert stream.getvalue() == ""
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert log.startswith("$ ")
    assert {"noise", "more"} <= set(log.splitlines())


def test_the_log_is_continued(tmp_path: Path) -> None:
    steps = Steps(1, io.StringIO())
    run(steps, "print('first')", tmp_path)
    run(steps, "print('second')", tmp_path)
    lines = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert lines.index("first") < lines.index("second")


def test_a_failure_carries_the_end_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(StepFailedError, match="exit status 7") as raised:
        run(Steps(1, io.StringIO()), "import sys; [print(i) for i in range(100)]; sys.exit(7)", tmp_path)
    assert raised.value.tail.splitlines() == [str(number) for number in range(60, 100)]


def test_a_command_that_cannot_start_is_a_failure_too(tmp_path: Path) -> None:
    with pytest.raises(StepFailedError):
        Steps(1, io.StringIO()).run(["no-such-program"], log=tmp_path / "log", cwd=tmp_path, environ=os.environ)


def test_output_that_is_not_utf8_does_no_harm(tmp_path: Path) -> None:
    run(Steps(1, io.StringIO()), r"import sys; sys.stdout.buffer.write(b'\xff\xfe\n')", tmp_path)
    assert "�" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_pipe_is_told_now_and_then_that_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0.0)
    stream = io.StringIO()
    steps = Steps(1, stream)
    steps.begin("compile")
    run(steps, "print('[1/4] cc'); print('warning'); print('[2/4] cc')", tmp_path)
    activities = [line.strip().rsplit(" (", 1)[0] for line in stream.getvalue().splitlines()[1:]]
    assert activities == ["compiling: 1 of 4, 25 %", "compiling: 1 of 4, 25 %", "compiling: 2 of 4, 50 %"]


def test_a_silent_command_still_shows_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_TICK_SECONDS", 0.01)
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0.0)
    seen = tmp_path / "seen"

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            seen.touch()
            return super().write(text)

    stream = Stream()
    # It stays silent until something was said meanwhile, and gives up on that in the end.
    script = f"""import pathlib, sys, time
for _ in range(3000):
    if pathlib.Path({str(seen)!r}).exists():
        sys.exit(0)
    time.sleep(0.01)
sys.exit(1)"""
    run(Steps(1, stream), script, tmp_path)
    assert "starting (" in stream.getvalue()


def test_an_interrupted_command_does_not_go_on_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0.0)
    monkeypatch.setattr(progress, "_PATIENCE_SECONDS", 0.0)

    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            raise KeyboardInterrupt

    script = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(KeyboardInterrupt):
        run(Steps(1, Interrupted()), script, tmp_path)
    pid = int((tmp_path / "log").read_text(encoding="utf-8").splitlines()[-1])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_terminal_gets_one_line_that_is_rewritten_and_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_TICK_SECONDS", 0.0)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    run(Steps(1, stream), "print('[3/4] cc')", tmp_path)
    assert "compiling: 3 of 4, 75 %" in stream.getvalue()
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")
