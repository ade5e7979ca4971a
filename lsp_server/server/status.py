"""What an editor may show in its status bar: one state at a time, told whenever it changes.

The one method of our own, and only for clients that ask for it: `$/progress` says how far something is, and nothing
says that a model is ready, missing, or gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

METHOD = "shardlight/status"

State = Literal["idle", "missing", "downloading", "loading", "ready", "busy", "failed"]


@dataclass(frozen=True, slots=True)
class Status:
    """A state of the models.

    Attributes:
        state: idle: not asked for yet. missing: to be downloaded first, and nobody has agreed to that. failed: see
            ``message``; the next request tries again.
        model: its name; empty where none is concerned.
        percent: of what is downloaded or loaded, 0..100.
        message: for people: what is going on, or why it failed and what to do.
    """

    state: State
    model: str = ""
    percent: int | None = None
    message: str = ""


class StatusLine:
    """Tells a client the state of the models, and the speed of the last answer.

    Args:
        send: sends a notification's parameters; not called before `start`.
    """

    def __init__(self, send: Callable[[str, dict[str, Any]], None]) -> None:
        self._send = send
        self._started = False
        self._status = Status("idle")
        self._speed: float | None = None
        self._work: list[str] = []
        self._last: dict[str, Any] | None = None

    def start(self) -> None:
        """From now on the client is told; first of all what is."""
        self._started = True
        self._tell()

    def show(self, status: Status) -> None:
        """Another state of the models."""
        self._status = status
        self._tell()

    def answered(self, tokens_per_second: float) -> None:
        """An answer came at this speed; 0 if that is not known."""
        self._speed = round(tokens_per_second, 1) or self._speed
        self._tell()

    @contextmanager
    def busy(self, title: str) -> Iterator[None]:
        """Somebody waits for some work."""
        self._work.append(title)
        self._tell()
        try:
            yield
        finally:
            self._work.remove(title)
            self._tell()

    def _tell(self) -> None:
        shown = self._status
        if self._work and shown.state == "ready":
            shown = Status("busy", shown.model, None, self._work[-1])
        said = {
            "state": shown.state,
            "model": shown.model,
            "percent": shown.percent,
            "message": shown.message,
            "tokensPerSecond": self._speed,
        }
        if self._started and said != self._last:
            self._last = said
            self._send(METHOD, said)
