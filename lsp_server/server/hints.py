"""The bug hints of each document, for as long as the function they are about stays as it was."""

from __future__ import annotations

from lsp_server.features.bug_hints import BugHint
from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot


class Hints:
    """Bug hints by URI."""

    def __init__(self) -> None:
        self._by_uri: dict[str, list[BugHint]] = {}

    def replace(self, uri: str, function_text: str, hint: BugHint | None) -> bool:
        """The latest word about a function; returns whether there is something to tell."""
        before = self._by_uri.get(uri, [])
        kept = [h for h in before if h.function_text != function_text]
        self._by_uri[uri] = [*kept, hint] if hint else kept
        return hint is not None or len(kept) < len(before)

    def drop(self, uri: str) -> None:
        """Forget a document."""
        self._by_uri.pop(uri, None)

    def remove(self, uri: str, hint: BugHint) -> None:
        """Forget one hint."""
        self._by_uri[uri] = [h for h in self._by_uri.get(uri, []) if h is not hint]

    def current(self, uri: str, snapshot: Snapshot) -> list[tuple[int, BugHint]]:
        """(offset of the function, hint) of those that still hold; the others are forgotten."""
        if uri not in self:
            return []
        starts = {snapshot.text[f.start : f.end]: f.start for f in functions(snapshot)}
        standing = [(starts[h.function_text], h) for h in self._by_uri[uri] if h.function_text in starts]
        self._by_uri[uri] = [h for _, h in standing]
        return standing

    def __contains__(self, uri: str) -> bool:
        return bool(self._by_uri.get(uri))
