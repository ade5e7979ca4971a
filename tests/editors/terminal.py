"""A program of the terminal that is seen and typed into as a person would."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import os
import pty
import signal
import struct
import termios
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

from tests.support.engine import PATIENCE_S

_COLUMNS, _LINES = 120, 40


def open_terminal(columns: int, lines: int) -> tuple[int, int]:
    """A pseudo-terminal of a size in characters: our side of it, and the program's."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))
    return ours, theirs


class _Screen(pyte.Screen):
    """What a terminal shows. Private forms of two sequences are none of its business, and pyte fails there."""

    def report_device_status(self, mode: int, **kwargs: bool) -> None:
        """Answer what every terminal is asked."""
        if not kwargs:
            super().report_device_status(mode)

    def select_graphic_rendition(self, *attributes: int, **kwargs: bool) -> None:
        """Take what every terminal knows."""
        if not kwargs:
            super().select_graphic_rendition(*attributes)


class Terminal:
    """A program in a terminal of 120 × 40 characters."""

    def __init__(self, process: asyncio.subprocess.Process, controller: int) -> None:
        self.process = process
        self._controller = controller
        self._screen = _Screen(_COLUMNS, _LINES)
        self._stream = pyte.ByteStream(self._screen)
        self._screen.write_process_input = self.keys  # type: ignore[method-assign]
        asyncio.get_running_loop().add_reader(controller, self._read)

    @classmethod
    async def start(cls, command: list[str], cwd: Path, env: Mapping[str, str]) -> Terminal:
        """Run a program; it leads a session of its own, whose terminal this is."""
        controller, terminal = open_terminal(_COLUMNS, _LINES)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=cwd,
            env={**env, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(terminal)
        return cls(process, controller)

    def _read(self) -> None:
        try:
            self._stream.feed(os.read(self._controller, 2**16))
        except OSError:  # the other side was closed
            asyncio.get_running_loop().remove_reader(self._controller)

    def keys(self, keys: str) -> None:
        """Type."""
        os.write(self._controller, keys.encode())

    def shown(self) -> str:
        """What the screen shows, without the blanks at the lines' ends."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def marked(self) -> str:
        """What is shown in reverse, as chosen entries are."""
        lines = (self._screen.buffer[line] for line in range(_LINES))
        marked = ("".join(line[x].data for x in range(_COLUMNS) if line[x].reverse) for line in lines)
        return "\n".join(text.strip() for text in marked if text.strip())

    async def until(self, condition: Callable[[], object], what: str, again: str = "") -> None:
        """Wait for something that has to come; ``again`` is typed whenever it did not for a second."""

        async def poll() -> None:
            for turn in itertools.count(1):
                if condition():
                    return
                assert self.process.returncode is None, f"it has ended; last it showed\n{self.shown()}"
                await asyncio.sleep(0.01)
                if again and not turn % 100:
                    self.keys(again)

        try:
            await asyncio.wait_for(poll(), PATIENCE_S)
        except asyncio.TimeoutError:
            raise AssertionError(f"no {what}; it shows\n{self.shown()}") from None

    async def until_shown(self, *texts: str, again: str = "") -> None:
        """Wait until the screen shows all of this; see ``until``."""
        await self.until(lambda: all(text in self.shown() for text in texts), f"{texts} on the screen", again)

    async def until_not_shown(self, text: str) -> None:
        """Wait until the screen does not show this."""
        await self.until(lambda: text not in self.shown(), f"screen without {text!r}")

    async def close(self) -> None:
        """End the program if it has not ended yet, and all that it started."""
        try:
            await asyncio.wait_for(self.process.wait(), PATIENCE_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            asyncio.get_running_loop().remove_reader(self._controller)
            os.close(self._controller)
