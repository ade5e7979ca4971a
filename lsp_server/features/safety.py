"""What a person should know before running code that somebody else wrote. Nothing is run to find out."""

from __future__ import annotations

from lsp_server.syntax.dangers import dangers
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.titles import cut

_LONGEST = 50


def warnings(snapshot: Snapshot, start: int, end: int) -> tuple[str, ...]:
    """A sentence on each statement or command of a part that destroys something; for SQL and shell."""
    found = dangers(snapshot, start, end)
    codes = (" ".join(snapshot.text[danger.start : danger.end].split()) for danger in found)
    return tuple(f"`{cut(code, _LONGEST)}` {danger.says}." for code, danger in zip(codes, found, strict=True))
