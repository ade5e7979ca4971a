"""Where context is wanted, and what of the document the prompt shows anyway."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lsp_server.context.window import window
from lsp_server.syntax.around import Enclosing, enclosing
from lsp_server.syntax.snapshot import Snapshot


@dataclass(frozen=True)
class Spot:
    """A place in a document.

    Attributes:
        offset: of the cursor, in code points.
        path: of the document's file, absolute; a document without a file has a bare name.
    """

    snapshot: Snapshot
    offset: int
    path: Path

    @cached_property
    def around(self) -> tuple[Enclosing, ...]:
        """The functions and classes around the cursor, the innermost first."""
        return enclosing(self.snapshot, self.offset)

    @cached_property
    def shown(self) -> tuple[int, int]:
        """Start and end of what the window shows of the document."""
        around = window(self.snapshot.lines, self.offset)
        return self.offset - len(around.prefix), self.offset + len(around.suffix)
