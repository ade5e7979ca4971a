"""A role for which nobody came up: when that is tried again while somebody types, and when it is given up."""

from __future__ import annotations

import time
from typing import NamedTuple

from lsp_server.errors import BackendError, BackendKeyError, BackendUnavailableError, ShardlightError
from lsp_server.models.catalog import Role

# Tried again after so long (seconds) and then longer, and so often.
_REST_S, MOST_TRIES = 30.0, 4


class _Failure(NamedTuple):
    """When it is tried again (by ``time.monotonic``), how often it was tried for the same reason, and the reason."""

    until: float
    tries: int
    reason: str


class Retries:
    """The last failure of each role."""

    def __init__(self) -> None:
        self._failures: dict[Role, _Failure] = {}

    def rests(self, role: Role) -> bool:
        """Whether it is too early to try again."""
        failure = self._failures.get(role)
        return failure is not None and time.monotonic() < failure.until

    def is_news(self, role: Role, error: ShardlightError) -> bool:
        """Whether this is another reason than the last time."""
        failure = self._failures.get(role)
        # The hint may count minutes.
        return failure is None or failure.reason != error.message

    def failed(self, role: Role, error: ShardlightError) -> bool:
        """Nobody came up; whether that is tried again."""
        tries = 1 if self.is_news(role, error) else self._failures[role].tries + 1
        # To ask a server elsewhere that is away once more costs nothing: it is not given up.
        away = isinstance(error, BackendUnavailableError) and not isinstance(error, BackendKeyError)
        tries = min(tries, MOST_TRIES - 1) if away else tries
        if not isinstance(error, BackendError) or tries >= MOST_TRIES:
            return False
        self._failures[role] = _Failure(time.monotonic() + _REST_S * tries, tries, error.message)
        return True

    def succeeded(self, role: Role) -> None:
        """Somebody answers."""
        self._failures.pop(role, None)

    def clear(self) -> None:
        """As if nothing had failed."""
        self._failures.clear()
