"""What may be worth showing, before anybody has weighed it against the rest."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.files import FileCache
from lsp_server.context.ring import RecentChunks
from lsp_server.context.spot import Spot
from lsp_server.context.symbols import SymbolSource
from lsp_server.context.workspace import Workspace
from lsp_server.syntax.outline import Symbol


class Kind(enum.IntEnum):
    """What a candidate is, from what changes least while somebody works on."""

    DEFINITION = 0
    COUNTERPART = 1
    SIMILAR = 2
    RECENT = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A symbol that may be shown as a stub, or a piece of text that may be shown as it is.

    Attributes:
        path: its file, absolute.
        start, end: where it is in its file; both -1 for a piece of a text that may not be there any more.
        reason: why it is one, for people.
        score: how much it is likely to help, between 0 and about 1.
        symbol: None for a piece of text.
        text: the piece of text, whole lines; empty for a symbol.
    """

    kind: Kind
    path: Path
    start: int
    end: int
    reason: str
    score: float
    symbol: Symbol | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where candidates come from."""

    workspace: Workspace
    symbols: SymbolSource
    recent: RecentChunks
    files: FileCache

    def texts(self, spot: Spot) -> Callable[[Path], str | None]:
        """Gives the text of a file: that of the spot as its document has it, others as ``Workspace.read``."""

        def text_of(path: Path) -> str | None:
            return spot.snapshot.text if path == spot.path else self.files.text(path, self.workspace)

        return text_of
