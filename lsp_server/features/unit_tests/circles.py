"""A small model that does not come to an end: lines that differ in values only, one after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsp_server.text.brackets import brackets
from lsp_server.text.edits import indent_of

# So many lines are a circle; so many of them are kept.
_CIRCLE, _FEW = 8, 4
_LONGEST_BLOCK = 20


def goes_in_circles(text: str) -> bool:
    """Whether the last whole lines of a text are a circle."""
    return _length(text.splitlines()[:-1]) >= _CIRCLE


def repeats_itself(text: str) -> bool:
    """Whether a text ends with the same lines three times over."""
    lines = text.splitlines()[:-1]
    for size in range(1, min(_LONGEST_BLOCK, len(lines) // 3) + 1):
        last = lines[-size:]
        if any(last) and lines[-2 * size : -size] == last and lines[-3 * size : -2 * size] == last:
            return True
    return False


def whole_lines(code: str) -> str:
    """The whole lines of code that was broken off, a circle at the end cut short."""
    lines = code.splitlines()[:-1]
    return "".join(f"{line}\n" for line in lines[: len(lines) - max(_length(lines) - _FEW, 0)])


def closed(code: str, line_comment: str) -> str | None:
    """Code whose end is a circle within brackets, cut short and with the innermost bracket closed; None for other code.

    That is how tables of cases go on: what comes after them is worth to be said.
    """
    if not goes_in_circles(code):
        return None
    lines = code.splitlines()[:-1]
    first = len(lines) - _length(lines)
    kept = "".join(f"{line}\n" for line in lines[: first + _FEW])
    opens = brackets(kept, line_comment).opens
    if not opens or kept.count("\n", 0, opens[0][0]) >= first:
        return None
    at, closer = opens[0]
    return f"{kept}{indent_of(kept[kept.rfind(chr(10), 0, at) + 1 :])}{closer}"


def _length(lines: Sequence[str]) -> int:
    """How many of the last lines differ in numbers and texts only."""
    shapes = [re.sub(r"\d+|'[^']*'|\"[^\"]*\"", "0", line) for line in lines if line.strip()]
    return next((n for n, shape in enumerate(reversed(shapes)) if shape != shapes[-1]), len(shapes))
