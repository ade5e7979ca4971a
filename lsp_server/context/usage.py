"""What the code at a cursor names, and how near to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.context.spot import Spot
from lsp_server.syntax.names import names_in

# Lines before and behind the cursor that count outside of its function, and at most within it.
_LINES_BEFORE = 40
_LINES_BEHIND = 15
_MOST_LINES_BEFORE = 120
# That many lines are less, if people wrote them.
_MOST_CHARS = 10_000
# A name so many lines away weighs nothing, but what the same function names anywhere is still of use.
_FADING_LINES = 60
_LEAST_WEIGHT = 0.4
_BEHIND = 0.8
# What is imported is not used yet.
_OWNER = re.compile(r"([^\W\d]\w*)(?:\.|->|::)$")
_OWNER_CHARS = 60
_IMPORT = re.compile(r"\s*(?:from|import|use|using|package|require\w*|#\s*include|export\b.*\bfrom)\b")


@dataclass(frozen=True, slots=True)
class Use:
    """A name that the code at the cursor uses.

    Attributes:
        weight: 1 at the cursor, less far from it.
        member: whether it only stands behind a dot or the like.
        owner: what stands before that dot; empty if it is no name.
    """

    weight: float
    member: bool
    owner: str = ""


def uses(spot: Spot, function: tuple[int, int] | None) -> dict[str, Use]:
    """The names around a cursor, the heaviest first.

    Args:
        function: start and end of the function around it.
    """
    lines, text = spot.snapshot.lines, spot.snapshot.text
    at = lines.line_of(spot.offset)
    first, last = at - _LINES_BEFORE, at + _LINES_BEHIND
    if function:
        first = max(min(first, lines.line_of(function[0])), at - _MOST_LINES_BEFORE)
        last = min(last, lines.line_of(function[1]))
    start = max(lines.line_start(first), spot.offset - _MOST_CHARS)
    end = min(lines.line_end(max(last, at)), spot.offset + _MOST_CHARS)
    found: dict[str, Use] = {}
    imports: dict[int, bool] = {}
    for name in names_in(spot.snapshot, start, end):
        line = lines.line_of(name.start)
        if line not in imports:
            line_start, line_end = max(lines.line_start(line), start), min(lines.line_end(line), end)
            imports[line] = _IMPORT.match(text, line_start, line_end) is not None
        if imports[line]:
            continue
        distance = line - at
        weight = max(1 - abs(distance) / _FADING_LINES, _LEAST_WEIGHT) * (_BEHIND if distance > 0 else 1)
        before = text[max(name.start - 2, 0) : name.start]
        member = before.endswith(".") or before in ("->", "::")
        owner = _OWNER.search(text, max(name.start - _OWNER_CHARS, 0), name.start) if member else None
        use = Use(weight, member, owner[1] if owner else "")
        if known := found.get(name.text):
            use = Use(max(weight, known.weight), member and known.member, use.owner or known.owner)
        found[name.text] = use
    return dict(sorted(found.items(), key=lambda item: -item[1].weight))
