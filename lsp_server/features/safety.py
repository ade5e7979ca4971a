"""What a person should know before running code that somebody else wrote. Nothing is run to find out."""

from __future__ import annotations

from lsp_server.syntax.dangers import dangers
from lsp_server.syntax.snapshot import Snapshot

_LONGEST = 50


def warnings(snapshot: Snapshot, start: int, end: int) -> tuple[str, ...]:
    """A sentence on each statement or command of a part that destroys something; for SQL and shell."""
    found = dangers(snapshot, start, end)
    return tuple(f"`{_short(snapshot.text[danger.start : danger.end])}` {danger.says}." for danger in found)


def _short(code: str) -> str:
    words = " ".join(code.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
