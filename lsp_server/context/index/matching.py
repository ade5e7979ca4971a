"""How well a name fits what somebody types to find it."""

from __future__ import annotations

import re

# A word begins at a letter after none, at an upper-case letter after a lower-case one, and at a number.
_WORD_START = re.compile(r"(?<![^\W_])[^\W_]|(?<=[a-z0-9])[A-Z]|[A-Z](?=[a-z])|(?<!\d)\d")

# Smaller is better: how it fits, how loosely, how much longer the name is.
Rank = tuple[int, int, int]


def rank(query: str, name: str) -> Rank | None:
    """How well a name fits, to sort by; None if the query's characters are not all in it, in their order.

    First what is typed in full, then what begins so, then what has the query in the beginnings of its words (``gHR``,
    ``ghr`` and ``get_resp`` find ``get_http_response``), then what contains it, then what contains it scattered.
    """
    low, wanted = name.lower(), query.lower()
    case = 0 if query in name else 1
    longer = len(name) - len(query)
    if low == wanted:
        return 0, case, longer
    if low.startswith(wanted):
        return 1, case, longer
    if fits_words(wanted, name):
        return 2, case, longer
    if (at := low.find(wanted)) >= 0:
        return 3, at, longer
    position = -1
    for char in wanted:
        position = low.find(char, position + 1)
        if position < 0:
            return None
    return 4, position, longer


def fits_words(wanted: str, name: str) -> bool:
    """Whether lower-case letters are beginnings of a name's words, in their order; words may be left out."""
    starts = {match.start() for match in _WORD_START.finditer(name)}
    low = name.lower()
    # Where in the name the letters so far may end.
    ends = {at for at in starts if low[at] == wanted[:1]}
    for char in wanted[1:]:
        if not ends:
            return False
        first = min(ends)
        ends = {at for at in range(first + 1, len(low)) if low[at] == char and (at - 1 in ends or at in starts)}
    return bool(ends)
