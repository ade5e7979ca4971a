"""What was suggested lately: typing through a suggestion, going back, or accepting a part of it asks no model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from lsp_server.features.inline_completion import Suggestion
from lsp_server.inference.backend import Timings
from lsp_server.text.closers import is_closing

# A place is known by so many characters around it; the same in two places of a file means the same suggestion.
_BEFORE_CHARS = 1000
_AFTER_CHARS = 300
_DOCUMENTS = 16
_PLACES = 48


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A suggestion and the document around it: what would be there if it were accepted.

    Attributes:
        before: ends at the cursor.
        after: begins behind what the suggestion replaces; shorter than ``_AFTER_CHARS`` only at the document's end.
    """

    before: str
    text: str
    replaced: str
    after: str


class SuggestionMemory:
    """Suggestions by document, the latest first; the oldest documents and places are forgotten."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, list[_Remembered]] = OrderedDict()

    def add(self, document: str, text: str, offset: int, suggestions: Sequence[Suggestion]) -> None:
        """Remember what was found for ``text`` with the cursor at ``offset``, best first."""
        places = self._documents.setdefault(document, [])
        self._documents.move_to_end(document)
        if len(self._documents) > _DOCUMENTS:
            self._documents.popitem(last=False)
        before = text[max(offset - _BEFORE_CHARS, 0) : offset]
        for suggestion in reversed(suggestions):
            end = offset + suggestion.replaces
            found = _Remembered(before, suggestion.text, text[offset:end], text[end : end + _AFTER_CHARS])
            if found in places:
                places.remove(found)
            places.insert(0, found)
        del places[_PLACES:]

    def find(self, document: str, text: str, offset: int, line_end: int) -> list[Suggestion]:
        """What is left of suggestions that lead from here to the document that they meant; without timings.

        What was typed meanwhile must be how they begin. Closers that the editor has added or that were typed over make
        no difference: what stands behind the cursor is replaced as far as the suggestion says.

        Args:
            line_end: where the cursor's line ends.
        """
        found: dict[Suggestion, None] = {}
        for place in self._documents.get(document, ()):
            typed = _typed(place, text, offset)
            if typed is None:
                continue
            replaces = _replaces(place, text, offset, line_end)
            rest = place.text[typed:]
            if replaces is not None and rest.strip():
                found[Suggestion(rest, replaces, Timings())] = None
        return list(found)

    def forget(self, document: str) -> None:
        """The document was closed."""
        self._documents.pop(document, None)


def _typed(place: _Remembered, text: str, offset: int) -> int | None:
    """How much of a suggestion stands before the cursor already; None if something else does."""
    for typed in range(len(place.text) - 1, -1, -1):
        start = offset - typed - len(place.before)
        whole = len(place.before) == _BEFORE_CHARS or start == 0
        if whole and text.startswith(place.text[:typed], offset - typed) and text.startswith(place.before, start):
            return typed
    return None


def _replaces(place: _Remembered, text: str, offset: int, line_end: int) -> int | None:
    """How much behind the cursor gives way so that the rest is what the suggestion meant; None if nothing does that."""
    for length in range(line_end - offset + 1):
        end = offset + length
        same = text.startswith(place.after, end) if len(place.after) == _AFTER_CHARS else text[end:] == place.after
        if same:
            gone = text[offset:end]
            return length if gone == place.replaced or is_closing(gone) else None
    return None
