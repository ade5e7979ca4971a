"""What becomes of a suggestion: told from the document's changes alone, since not every editor says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from lsp_server.features.inline_completion import Suggestion
from lsp_server.statistics.events import Accepted, AcceptedPart, Event, Rejected, Shown
from lsp_server.text.closers import front_lengths

# What is gone sooner was never looked at.
_SEEN_S = 0.3
# Fingers, and an editor that closes a bracket by itself, add fewer characters at once.
_TAKEN_CHARS = 3
_AROUND_CHARS = 200


@dataclass(slots=True)
class _Standing:
    """The suggestion that is shown.

    Attributes:
        before: what stands before the place where it was shown first, at ``offset``.
        behind: what stands there behind it, and what would if it were accepted.
        there: how much of it is in the document.
        taken: how much of that was taken over, not typed.
    """

    language: str
    offset: int
    before: str
    behind: tuple[str, str]
    text: str
    since: float
    there: int = 0
    taken: int = 0


class Outcomes:
    """Follows one suggestion a document and tells ``record`` what happened to it. Times in seconds of one clock."""

    def __init__(self, record: Callable[[Event], None]) -> None:
        self._record = record
        self._standing: dict[str, _Standing] = {}

    def shown(
        self,
        document: str,
        language: str,
        text: str,
        offset: int,
        suggestion: Suggestion,
        *,
        asked: float,
        now: float,
        from_memory: bool,
    ) -> None:
        """The editor gets a suggestion for ``text`` with the cursor at ``offset``.

        What is left of the one that stands is no new one.
        """
        standing = self._standing.get(document)
        if (
            standing
            and standing.offset + standing.there == offset
            and standing.text[standing.there :] == suggestion.text
        ):
            return
        if standing:
            self._gone(document, now)
        end = offset + suggestion.replaces
        self._standing[document] = _Standing(
            language,
            offset,
            text[max(offset - _AROUND_CHARS, 0) : offset],
            (text[offset : offset + _AROUND_CHARS], text[end : end + _AROUND_CHARS]),
            suggestion.text,
            now,
        )
        latency = (now - asked) * 1000
        self._record(Shown(language, len(suggestion.text), latency_ms=latency, from_cache=from_memory))

    def changed(self, document: str, text: str, now: float) -> None:
        """The document is now ``text``."""
        standing = self._standing.get(document)
        if standing is None:
            return
        there = _there(standing, text)
        if there is None:
            self._gone(document, now)
            return
        if there - standing.there >= _TAKEN_CHARS:
            standing.taken += there - standing.there
        standing.there = there
        if there == len(standing.text):
            del self._standing[document]
            # Typed to its end by hand, it was neither taken nor turned down.
            if standing.taken:
                self._record(Accepted(standing.language, standing.taken))

    def closed(self, document: str, now: float) -> None:
        """The document is not shown any more."""
        if document in self._standing:
            self._gone(document, now)

    def _gone(self, document: str, now: float) -> None:
        standing = self._standing.pop(document)
        if standing.taken:
            self._record(AcceptedPart(standing.language, standing.taken))
        elif now - standing.since >= _SEEN_S:
            self._record(Rejected(standing.language))


def _there(standing: _Standing, text: str) -> int | None:
    """How much of a suggestion is in the document; None if something else was written there."""
    offset = standing.offset
    if not text.startswith(standing.before, offset - len(standing.before)):
        return None
    pairs = zip(text[offset : offset + len(standing.text)], standing.text, strict=False)
    there = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    rest = text[offset + there : offset + there + _AROUND_CHARS]
    return there if any(_same(rest, behind) for behind in standing.behind) else None


def _same(one: str, other: str) -> bool:
    """Whether two texts begin alike but for closers, which come and go with what is typed before them."""
    for m in front_lengths(one):
        for n in front_lengths(other):
            shared = min(len(one) - m, len(other) - n)
            if one[m : m + shared] == other[n : n + shared] and (shared or len(one) - m == len(other) - n):
                return True
    return False
