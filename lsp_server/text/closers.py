"""What editors put behind a cursor by themselves: closing brackets and quotes, and what is written after these.

Such a text is worth no new prompt: it comes with the bracket that opens and goes when the closing one is typed over.
"""

from __future__ import annotations

import re

_QUOTES = "\"'`"
_CLOSERS = ")]}" + _QUOTES
_AFTER_CLOSERS = ":;,"
_LINE_OF_CLOSERS = re.compile(rf"(?:[{re.escape(_CLOSERS)}][{_AFTER_CLOSERS}]*|[ \t])*")
_FRONT = re.compile(rf"[{re.escape(_CLOSERS)}{_AFTER_CLOSERS}\s]*")
# What is longer was not put there by an editor.
_FRONT_CHARS = 200


def closes_line(before: str, after: str) -> bool:
    """Whether nothing stands behind the cursor on its line but closers, blanks and what is written after closers.

    Args:
        before, after: the line, left and right of the cursor. A quote closes only what was opened in ``before``.
    """
    match = _LINE_OF_CLOSERS.fullmatch(after)
    return match is not None and all(quote in before for quote in _QUOTES if quote in after)


def is_closing(text: str) -> bool:
    """Whether a text holds nothing but closers, blanks and what is written after closers."""
    return _LINE_OF_CLOSERS.fullmatch(text) is not None


def front_end(text: str, start: int) -> int:
    """Where closers and blanks end that ``text`` has from ``start`` on, lines of them included."""
    match = _FRONT.match(text, start, start + _FRONT_CHARS)
    return match.end() if match else start


def front_lengths(text: str) -> list[int]:
    """How much at the start of ``text`` an editor may have put there, ascending from 0.

    A front ends behind a closer (with what is written after it) or at a line's end, before or behind it: what is left
    keeps the indentation of its first line.
    """
    lengths = [0]
    at, behind_closer = 0, False
    while at < min(len(text), _FRONT_CHARS):
        char = text[at]
        if char in "\r\n":
            lengths.append(at)
            at += 2 if text[at : at + 2] == "\r\n" else 1
            lengths.append(at)
            behind_closer = False
        elif char in _CLOSERS or (behind_closer and char in _AFTER_CLOSERS):
            if char in _QUOTES and text[at + 1 : at + 2].isalnum():
                break  # It opens.
            at += 1
            lengths.append(at)
            behind_closer = True
        elif char in " \t":
            at += 1
            behind_closer = False
        else:
            break
    return sorted(set(lengths))


def without_blanks(front: str) -> str:
    """The closers of a front, with what is written after them."""
    return "".join(front.split())
