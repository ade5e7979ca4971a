"""How alike two pieces of code are, by the identifiers that they share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from lsp_server.text.positions import LineIndex

Words = frozenset[str]

# One and two letters are loop variables and keywords; the longer keywords say as little.
_WORD = re.compile(r"[^\W\d]\w{2,}")
_KEYWORDS = """
    and async await bool break case catch char class const continue def default double elif else end enum except export
    extends false False finally float for fun func function from implements import int interface let long namespace new
    nil none None not null package pass private protected public raise return self static string struct super switch
    then this throw throws true True try type typeof undefined use using var void while with yield
"""
_SAYS_NOTHING = frozenset(_KEYWORDS.split())
WINDOW_LINES = 20
_STRIDE_LINES = WINDOW_LINES // 2
# What follows a passage that resembles the code before the cursor often resembles the code behind it.
_FOLLOWING_LINES = 10


def words(text: str) -> Words:
    """The words of three letters and more, keywords excluded: identifiers mostly."""
    return frozenset(_WORD.findall(text)) - _SAYS_NOTHING


def lines_of(text: str) -> frozenset[str]:
    """The lines that say something, without the blanks around them."""
    return frozenset(stripped for line in text.splitlines() if len(stripped := line.strip()) > 2)


def jaccard(first: Words, second: Words) -> float:
    """The share of words that both have among those that either has; 0 if there is none."""
    both = len(first & second)
    return both / (len(first) + len(second) - both) if both else 0.0


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of a file: ``text[start:end]``, of which the first ``WINDOW_LINES`` are compared."""

    start: int
    end: int
    words: Words


def passages(text: str) -> tuple[Passage, ...]:
    """A text in overlapping passages."""
    lines = LineIndex(text)
    firsts = range(0, max(lines.line_count - _STRIDE_LINES, 1), _STRIDE_LINES)
    # A line is in two passages, and is read once.
    starts = [lines.line_start(line) for line in range(0, lines.line_count + WINDOW_LINES, _STRIDE_LINES)]
    halves = [words(text[start:end]) for start, end in pairwise(starts)]
    return tuple(
        Passage(start, lines.line_start(first + WINDOW_LINES + _FOLLOWING_LINES), upper | lower)
        for first, start, upper, lower in zip(firsts, starts, halves, halves[1:], strict=False)
    )
