"""The real Emacs in a terminal, and the real language server over a scripted model behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket as unix
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.editors.documented import Workplace
from tests.editors.programs import named, program
from tests.editors.terminal import Terminal
from tests.support.engine import PATIENCE_S

_EMACS = named("SHARDLIGHT_EMACS")
_CONTROL = Path(__file__).parent / "control.el"
# Nothing of the tests' own is left in the project, nothing is compiled, and no question is asked at the end.
_QUIET = """
(setq native-comp-jit-compilation nil native-comp-enable-subr-trampolines nil)
(setq make-backup-files nil auto-save-default nil create-lockfiles nil confirm-kill-processes nil)
(setq inhibit-startup-screen t python-indent-guess-indent-offset nil suggest-key-bindings nil)
"""

_READY = "\n(defvar test-is-configured t)\n"

Start = Callable[..., Awaitable["Emacs"]]


class Emacs:
    """An Emacs with one file open.

    Attributes:
        place: where it works.
        terminal: where it is seen and typed into.
    """

    def __init__(
        self, place: Workplace, terminal: Terminal, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        self.place = place
        self.terminal = terminal
        self._reader, self._writer = streams

    async def lisp(self, form: str) -> Any:
        """What a form returns in the selected window's buffer."""
        self._writer.write(" ".join(form.split("\n")).encode() + b"\n")
        answer = json.loads(await asyncio.wait_for(self._reader.readline(), PATIENCE_S))
        assert "error" not in answer, answer["error"]
        return answer["ok"]

    async def until(self, form: str, wanted: Any = True) -> None:
        """Wait until a form returns something."""
        # Not by `wait_for` around another: before Python 3.12 the inner one may swallow what the outer one says.
        end = time.monotonic() + PATIENCE_S
        while (value := await self.lisp(form)) != wanted:
            shown = self.terminal.shown()
            assert time.monotonic() < end, f"{form}: {value!r} instead of {wanted!r}; it shows\n{shown}"
            await asyncio.sleep(0.01)

    async def until_text(self, wanted: str) -> None:
        """Wait until the file's buffer holds this."""
        name = json.dumps(self.place.file.name, ensure_ascii=False)
        await self.until(f"(with-current-buffer {name} (buffer-substring-no-properties 1 (point-max)))", wanted)

    async def command(self, name: str, *answers: str) -> None:
        """Run a command by its name, as a person would, and answer what it asks."""
        self.terminal.keys(f"\x1bx{name}\r")
        for answer in answers:
            await self.until("(and (minibufferp) t)")
            self.terminal.keys(f"{answer}\r")


async def _connected(socket: Path, terminal: Terminal) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    def answers() -> bool:
        # It is there a moment before it takes connections.
        with contextlib.suppress(ConnectionRefusedError), unix.socket(unix.AF_UNIX) as one:
            one.connect(str(socket))
            return True
        return False

    await terminal.until(lambda: socket.exists() and answers(), "socket")
    return await asyncio.open_unix_connection(str(socket))


@pytest_asyncio.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """``await start("x = <|>\\n", "(…)", {"infills": ["1"]})``: a file is open, with this configuration.

    ``folder`` is the name of the project's.
    """
    binary = program("SHARDLIGHT_EMACS", _EMACS)
    running: list[Emacs] = []
    # A socket's path must be short.
    sockets = Path(tempfile.mkdtemp(prefix="em-"))

    async def make(marked: str, config: str, script: dict[str, Any] | None = None, *, folder: str = "größe 1") -> Emacs:
        place = Workplace(tmp_path, marked, script or {}, folder)
        config_file = place.home / "config.el"
        config_file.write_text(";; -*- lexical-binding: t -*-\n" + _QUIET + config + _READY, encoding="utf-8")
        socket = sockets / "s"
        terminal = await Terminal.start(
            [
                binary,
                "-Q",
                "-l",
                str(_CONTROL),
                "-l",
                str(config_file),
                f"+{place.line}:{place.column}",
                str(place.file),
            ],
            place.file.parent,
            {**place.environment(), "SHARDLIGHT_TEST_SOCKET": str(socket)},
        )
        emacs = Emacs(place, terminal, await _connected(socket, terminal))
        running.append(emacs)
        await emacs.until("(boundp 'test-is-configured)")
        return emacs

    yield make
    for emacs in running:
        await emacs.lisp("(and (run-with-timer 0 nil (lambda () (set-buffer-modified-p nil) (kill-emacs))) t)")
        await emacs.terminal.close()
    shutil.rmtree(sockets)
