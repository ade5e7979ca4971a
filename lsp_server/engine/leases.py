"""Who has an engine at hand: each editor's server holds a connection open for as long as it may ask."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Leases:
    """The leases of one engine. A client that dies gives its own back, since its connection closes.

    Args:
        for_editors: whether editors are what the engine is there for; one that was started by hand may be asked by
            programs that take no lease, and is not out of use when the last lease ends.
    """

    def __init__(self, *, for_editors: bool = True) -> None:
        self._for_editors = for_editors
        self._held: Counter[str] = Counter()
        self.closing = asyncio.Event()
        """Set when the engine ends: whoever holds a lease is let go."""
        self.ended_at: float | None = None
        """When the last editor's ended, by ``time.monotonic``; None while there are any, and before the first."""

    @property
    def clients(self) -> int:
        """How many processes hold one or more."""
        return len(self._held)

    @contextmanager
    def held(self, pid: str) -> Iterator[None]:
        """A lease of a process, for the time of a ``with``."""
        self._held[pid] += 1
        self.ended_at = None
        try:
            yield
        finally:
            self._held[pid] -= 1
            self._held = +self._held
            if self._for_editors and not self._held:
                self.ended_at = time.monotonic()
