"""A model's chat template, rendered by a process of its own that is ended where it takes too long.

A thread could not be ended, and no count of steps sees what a single filter can take.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import threading
from typing import Any

from lsp_server import own_python
from lsp_server.engine.template_process import most_chars
from lsp_server.errors import EngineError, InvalidRequestError

logger = logging.getLogger(__name__)

# A usual template takes milliseconds; the machine may be busy with a model.
LIMIT_S = 10.0
# So often a template may break its bounds; from then on it is not tried again.
_MOST_BREACHES = 2
# A character of the answer as JSON has it: `\ud83d\ude00` at most.
_JSON_CHARS = 12


class RenderedElsewhere:
    """A template whose process is started at its first use, and again when it was ended; safe to share between threads.

    The process ends with this one: it reads what this one writes.
    """

    def __init__(self, source: str, limit_s: float | None = None) -> None:
        self._source = source
        self._limit_s = limit_s or LIMIT_S
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._breaches = 0

    def render(self, variables: dict[str, Any]) -> str:
        """What the template makes of variables, which are what JSON has.

        Raises:
            InvalidRequestError: it fails, or takes more than it may.
            EngineError: its process cannot be started.
        """
        with self._lock:
            if self._breaches >= _MOST_BREACHES:
                raise _refused("it took too long, or too much memory, and is not tried again.")
            answer = json.loads(self._asked(json.dumps(variables) + "\n"))
        if "error" in answer:
            raise _refused(answer["error"])
        return str(answer["text"])

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _asked(self, line: str) -> str:
        """The line that the process answers."""
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = _start()
            line = json.dumps(self._source) + "\n" + line
        too_late = threading.Timer(self._limit_s, process.kill)
        too_late.daemon = True
        too_late.start()
        reply = ""
        # Where the process is gone it has answered nothing.
        with contextlib.suppress(OSError):
            if process.stdin and process.stdout:
                process.stdin.write(line)
                process.stdin.flush()
                reply = process.stdout.readline(_JSON_CHARS * most_chars(len(line)))
        too_late.cancel()
        if not reply.endswith("\n"):
            self._end()
            self._breaches += 1
            logger.warning("The model's chat template took longer than %.0f s, or died.", self._limit_s)
            raise _refused("it takes too long, or too much memory.")
        return reply

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()


def _start() -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            own_python.command("lsp_server.engine.template_process"),
            cwd=own_python.FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What its death leaves there is for nobody; messages are part of it.
            stderr=subprocess.DEVNULL,
            encoding="ascii",
        )
    except OSError as error:
        raise EngineError(f"What renders the model's chat template could not be started: {error}.") from error


def _refused(why: str) -> InvalidRequestError:
    return InvalidRequestError(f"The model's chat template refuses these messages: {why}")
