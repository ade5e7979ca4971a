"""The context of a spot stays as it is while somebody types there: any change makes a model read on from it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from lsp_server.context.candidates import Sources
from lsp_server.context.files import FileCache
from lsp_server.context.items import ContextItem
from lsp_server.context.members import Members
from lsp_server.context.retrieval import Mode, retrieve
from lsp_server.context.ring import RecentChunks
from lsp_server.context.spot import Spot
from lsp_server.context.symbols import Remembered, SymbolSource
from lsp_server.context.workspace import Workspace
from lsp_server.text.known_names import KnownNames

# So far from where a context was made it still fits: the code that it is about is about as long.
_SPOT_LINES = 10
# Documents whose contexts are remembered: as many as the engine has sequences, and some to come back to.
_DOCUMENTS = 8


@dataclass(frozen=True, slots=True)
class _Made:
    """A context, and for which spot it was made.

    Attributes:
        scope: where the innermost function or class begins; not its name, which may be what is being typed.
    """

    items: tuple[ContextItem, ...]
    mode: Mode
    scope: int
    line: int


class ContextKeeper:
    """The contexts of the documents lately worked on; safe to call from several threads.

    Attributes:
        recent: the chunks lately viewed and edited; who sees the editor's events fills it.
    """

    def __init__(self, symbols: SymbolSource, recent: RecentChunks) -> None:
        self.recent = recent
        self._symbols = symbols
        self._files = FileCache()
        self._made: OrderedDict[str, _Made] = OrderedDict()
        self._lock = threading.Lock()

    def context(
        self,
        spot: Spot,
        workspace: Workspace,
        *,
        budget_tokens: int,
        mode: Mode = "full",
        refresh: bool = False,
        document: str | None = None,
    ) -> tuple[ContextItem, ...]:
        """What to show besides the window, the most lasting first.

        The very same tuple while the cursor stays in one function, within some lines. Made anew elsewhere, or when
        ``refresh`` says so, it begins with what was in the last one and still belongs, unchanged.

        Args:
            document: whose context it is, if not the file's: a cell of a notebook has its own.
        """
        if mode == "off":
            return ()
        key = document or str(spot.path)
        line, scope = spot.snapshot.lines.line_of(spot.offset), _scope(spot)
        # One at a time: a second request for the same spot is to get the first one's answer.
        with self._lock:
            made = self._made.get(key)
            # What is excluded since it was made is shown no longer.
            allowed = made and not any(map(workspace.excluded, {item.file for item in made.items}))
            if made and allowed and not refresh and _fits(made, mode, scope, line):
                self._made.move_to_end(key)
                return made.items
            last = made or next(reversed(self._made.values()), None)
            sources = Sources(workspace, self._symbols, self.recent, self._files)
            items = retrieve(spot, sources, budget_tokens=budget_tokens, mode=mode, last=last.items if last else ())
            self._made[key] = _Made(items, mode, scope, line)
            self._made.move_to_end(key)
            while len(self._made) > _DOCUMENTS:
                self._made.popitem(last=False)
            return items

    def members(self, spot: Spot, workspace: Workspace) -> tuple[tuple[str, ...], tuple[KnownNames, ...]]:
        """The names behind the dot at a cursor, and behind others; with each letter there may be other ones."""
        sources = Sources(workspace.for_one_search(), Remembered(self._symbols), self.recent, self._files)
        members = Members(spot, sources)
        return members.at_cursor(), members.around()


def _fits(made: _Made, mode: Mode, scope: int, line: int) -> bool:
    return (made.mode, made.scope) == (mode, scope) and abs(made.line - line) <= _SPOT_LINES


def _scope(spot: Spot) -> int:
    return spot.around[0].start if spot.around else -1
