"""Steps that say what they are doing: a line each, the noise in a log file, and a sign of life while one takes long."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

_TICK_SECONDS = 1.0
_QUIET_SECONDS = 15.0  # how often a log or a pipe, where lines add up, is told that it goes on
_PATIENCE_SECONDS = 5.0
_TAIL_LINES = 40

_NINJA = re.compile(r"^\s*\[(\d+)/(\d+)\] ")
_MAKE = re.compile(r"^\s*\[ *(\d+)%\] ")
_PIP = re.compile(
    r"^\s*(Collecting|Downloading|Building wheel for|Preparing metadata|Installing collected packages)\b[ :]*(\S*)"
)


class StepFailedError(Exception):
    """A command failed.

    Attributes:
        command: what ran.
        tail: the end of what it printed.
    """

    def __init__(self, command: list[str], returncode: int, tail: str) -> None:
        super().__init__(f"{' '.join(command)} ended with exit status {returncode}.")
        self.command = command
        self.tail = tail


class Steps:
    """Prints numbered steps to a stream and runs their commands.

    Args:
        total: how many steps there will be.
        stream: where to; a terminal gets one line that is rewritten, anything else a line now and then.
    """

    def __init__(self, total: int, stream: TextIO) -> None:
        self._total = total
        self._stream = stream
        self._number = 0
        self._begun = time.monotonic()
        self._last_sign = self._begun
        self._rewrites = stream.isatty()

    def begin(self, title: str) -> None:
        """Start the next step."""
        self._number += 1
        self._begun = self._last_sign = time.monotonic()
        self._print(f"[{self._number}/{self._total}] {title}")

    def say(self, text: str) -> None:
        """A line of its own under the step."""
        self._print(f"      {text}")

    def end(self) -> None:
        """Say that the step is done, and how long it took."""
        self.say(f"done in {duration(time.monotonic() - self._begun)}")

    def run(self, command: list[str], *, log: Path, cwd: Path, environ: Mapping[str, str]) -> None:
        """Run a command; its output goes to the end of the log, what it is doing to the stream.

        Raises:
            StepFailedError: it could not be started, or its exit status is not 0.
        """
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        doing = "starting"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(command)}\n")
            try:
                process = subprocess.Popen(
                    command,
                    cwd=cwd,
                    env=dict(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                )
            except OSError as error:
                raise StepFailedError(command, 127, str(error)) from error
            try:
                for line in _lines_or_ticks(process):
                    if line is not None:
                        file.write(line)
                        tail.append(line)
                        doing = activity(line) or doing
                    self._sign_of_life(doing)
                returncode = process.wait()
            finally:
                _end(process)
                self._clear_line()
        if returncode != 0:
            raise StepFailedError(command, returncode, "".join(tail))

    def _sign_of_life(self, doing: str) -> None:
        now = time.monotonic()
        if now - self._last_sign < (_TICK_SECONDS if self._rewrites else _QUIET_SECONDS):
            return
        self._last_sign = now
        text = f"      {doing} ({duration(now - self._begun)})"
        if self._rewrites:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()
        else:
            self._print(text)

    def _clear_line(self) -> None:
        if self._rewrites:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def _end(process: subprocess.Popen[str]) -> None:
    """Make sure that a process is gone; one that was interrupted from the keyboard gets the time to tidy up."""
    try:
        process.wait(timeout=_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()


def activity(line: str) -> str | None:
    """What a line of pip's or ninja's output says is being done, in a few words; None if it says nothing."""
    ninja = _NINJA.match(line)
    if ninja:
        done, total = int(ninja[1]), int(ninja[2])
        return f"compiling: {done} of {total}, {100 * done // total} %"
    make = _MAKE.match(line)
    if make:
        return f"compiling: {make[1]} %"
    pip = _PIP.match(line)
    if pip:
        package = re.split(r"[<>=!~;\[(]", pip[2])[0]
        return f"{pip[1].lower()} {package}".rstrip(" ,")
    return None


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _lines_or_ticks(process: subprocess.Popen[str]) -> Iterator[str | None]:
    """The lines that a process prints, and None for every second without one; ends with the process's output."""
    lines: queue.Queue[str | None] = queue.Queue()
    output = process.stdout
    assert output is not None  # noqa: S101 - it was started with a pipe

    def read() -> None:
        for line in output:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line
