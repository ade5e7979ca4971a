"""The text around a cursor, cut so that the cuts stay where they are from keystroke to keystroke."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.text.closers import front_end
from lsp_server.text.positions import LineIndex

# Characters; about 3.5 of them make a token of code. Large enough for a long function with its class, small enough that
# the first request in a file does not take long on a CPU.
PREFIX_CHARS = 4000
SUFFIX_CHARS = 1000
# The window's start moves in steps of this many characters: between two steps, typing only appends to the prompt.
STRIDE_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """The text before and after a cursor."""

    prefix: str
    suffix: str


def window(lines: LineIndex, offset: int) -> Window:
    """Whole lines around ``offset``; at most ``PREFIX_CHARS`` + ``STRIDE_CHARS`` before it.

    After it come at most ``SUFFIX_CHARS``, not counting the closers and blanks that they begin with: the end must not
    move when an editor closes a bracket or puts it on a line of its own.
    """
    overhang = offset - PREFIX_CHARS
    start = 0 if overhang <= 0 else -(-overhang // STRIDE_CHARS) * STRIDE_CHARS - STRIDE_CHARS
    if start > 0:
        whole = min(lines.line_start(lines.line_of(start) + 1), lines.line_start(lines.line_of(offset)))
        # A line longer than the window is cut inside, at the step as well.
        start = max(start, whole)
    front = front_end(lines.text, offset)
    end = min(front + SUFFIX_CHARS, len(lines.text))
    if end < len(lines.text):
        line_start = lines.line_start(lines.line_of(end))
        end = line_start if line_start > front else end
    return Window(lines.text[start:offset], lines.text[offset:end])
