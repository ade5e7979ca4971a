"""Which brackets a piece of code opens and closes, told without a grammar: the piece may be half a line."""

from __future__ import annotations

from dataclasses import dataclass

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_TRIPLE = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Brackets:
    """The brackets of a piece of code that it does not match by itself.

    Attributes:
        closes: the closing brackets that close what stands before it, in order, with their positions.
        opens: the closing brackets that are missing at its end, the innermost first, with the positions of what opens.
        open_string: whether it ends within a string of several lines.
    """

    closes: tuple[tuple[int, str], ...]
    opens: tuple[tuple[int, str], ...]
    open_string: bool


def brackets(code: str, line_comment: str = "") -> Brackets:
    """The unmatched brackets of ``code``; those in strings and comments do not count.

    A quote without its partner on the same line is no string: it may be an apostrophe, or half a string. Nor is one
    behind ``<`` or ``&``: a lifetime.
    """
    closes: list[tuple[int, str]] = []
    pending: list[tuple[int, str]] = []
    at = 0
    while at < len(code):
        char = code[at]
        if char in "\"'`" and not (char == "'" and code[at - 1 : at] in ("<", "&")):
            end = _string_end(code, at)
            if end is None:
                return Brackets(tuple(closes), tuple(reversed(pending)), open_string=True)
            at = end
            continue
        if line_comment and code.startswith(line_comment, at):
            newline = code.find("\n", at)
            at = len(code) if newline < 0 else newline
            continue
        if char in _CLOSING:
            pending.append((at, _CLOSING[char]))
        elif char in ")]}":
            if pending:
                pending.pop()
            else:
                closes.append((at, char))
        at += 1
    return Brackets(tuple(closes), tuple(reversed(pending)), open_string=False)


def _string_end(code: str, start: int) -> int | None:
    """Where a string that may begin at ``start`` ends; right behind the quote if none does, None if it goes on."""
    if code.startswith(_TRIPLE, start):
        end = code.find(code[start : start + 3], start + 3)
        return None if end < 0 else end + 3
    quote, at = code[start], start + 1
    # A template string may go over several lines; one that does not end is told as half a line would be.
    while at < len(code) and (code[at] != "\n" or quote == "`"):
        if code[at] == "\\":
            at += 1
        elif code[at] == quote:
            return at + 1
        at += 1
    return start + 1
