"""Which part of a fill can stand in the file: the longest that leaves it no worse than it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from lsp_server.features.postprocess.completion import Place, depth, up_to_closing, without_overlap
from lsp_server.syntax.checks import error_begins_in, error_count
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.strict import refusal
from lsp_server.text.brackets import brackets
from lsp_server.text.closers import closes_line
from lsp_server.text.edits import TextEdit, detect_newline, indent_of

_COMMENT = re.compile(r"[\s:;,]*(?:#|//|/\*|--)")
# Each is parsed. What is wrong with a fill shows in its last lines, or is not to be mended by leaving lines off.
_MOST = 8


@dataclass(frozen=True, slots=True)
class Fit:
    """A text for the cursor, which takes the place of so many characters behind it on its line."""

    text: str
    replaces: int = 0


@dataclass(frozen=True, order=True, slots=True)
class _Faults:
    """What is wrong with a document, the worst first.

    Attributes:
        here: there is a fault in the lines that are offered: they are not what belongs there.
        refused: Python refuses the code around them.
        count: errors in the tree.
    """

    here: bool
    refused: bool
    count: int


def fit(text: str, place: Place, snapshot: Snapshot, offset: int) -> Fit | None:
    """The best of what the fill allows, in the document's line ends; None if all of it would break the file.

    A fault elsewhere may stay; one in the lines that are offered may not, where it can be told.
    """
    newline = detect_newline(snapshot.text)

    def faults(candidate: Fit) -> _Faults:
        text = candidate.text.replace("\n", newline)
        edited = snapshot.edited([TextEdit(offset, offset + candidate.replaces, text)], snapshot.version)
        return _faults(edited, place, offset, offset + len(text))

    before = _faults(snapshot, place, offset, offset)
    best, least = None, _Faults(True, True, before.count + 1)
    for candidate in list(dict.fromkeys(_candidates(text, place)))[:_MOST]:
        if _says_nothing(candidate, place):
            continue
        found = faults(candidate)
        if found < least and found.count <= before.count and (before.refused or not found.refused):
            best, least = candidate, found
        if least == _Faults(False, False, 0):
            break
    if least.here:
        return None
    return best and Fit(best.text.replace("\n", newline), best.replaces)


def _faults(snapshot: Snapshot, place: Place, start: int, end: int) -> _Faults:
    lines = snapshot.lines
    first, last = lines.line_of(start), lines.line_of(end)
    refused = refusal(snapshot, end)
    here = refused is not None and not refused.unfinished and first <= refused.line <= _last_of(snapshot, place, last)
    if not here and not closes_line(place.line_prefix, place.line_suffix):
        # Half a line before a cursor may be an error. One with something on both sides is meant to be whole, unless it
        # opens what is not there yet.
        begin, stop = lines.line_start(first), lines.line_end(last)
        here = not brackets(snapshot.text[begin:stop]).opens and error_begins_in(snapshot, begin, stop)
    return _Faults(here, refused is not None, error_count(snapshot))


def _last_of(snapshot: Snapshot, place: Place, last: int) -> int:
    """The last line that is to go with the fill, whose own last one is ``last``.

    What stands deeper below shows by its first line whether the fill has opened a block for it, and by the line that
    closes a bracket whether the fill is what the bracket is for.
    """
    if not place.goes_on_below:
        return last
    lines = snapshot.lines
    opens_bracket = lines.line_text(last).rstrip().endswith(("(", "[", "{"))
    for number in range(last + 1, lines.line_count):
        line = lines.line_text(number)
        if not line.strip():
            continue
        if depth(line) <= depth(place.line_prefix):
            return number if opens_bracket and line.lstrip()[0] in ")]}" else number - 1
        if not opens_bracket:
            return number
    return lines.line_count - 1


def _candidates(text: str, place: Place) -> Iterator[Fit]:
    """What to offer, best first; the last ones are there for when the first ones break the file."""
    suffix = place.line_suffix
    lines = text.split("\n")
    shorter = [
        part
        for n in range(len(lines) - 1, 0, -1)
        if not brackets(part := "\n".join(lines[:n]).rstrip(), place.line_comment).opens
    ]
    open_ended = up_to_closing(text, suffix)
    if closes_line(place.line_prefix, suffix) and open_ended != text:
        # What the editor closed, the fill closes as well, and may go on behind it.
        if _COMMENT.match(text[len(open_ended) :].removeprefix(suffix.strip())):
            yield Fit(open_ended)
        for length in _closed_by(text[len(open_ended) :], suffix):
            yield Fit(text, length)
    if place.closes_block and (place.on_blank_line or len(lines) > 1):
        # The line's end closes the block, on a line of its own.
        below = "\n" + indent_of(place.line_prefix)
        for block in (open_ended, _closed(_without_heads(text), place), *shorter):
            yield Fit(block.rstrip() + below if block.strip() else "")
        return
    overlap = without_overlap(text, suffix)
    # Whether `x)` before `)` closes one bracket or repeats one, the syntax tree decides; a tail never comes twice.
    if overlap == text or len(text) - len(overlap) == 1:
        yield Fit(text)
    yield Fit(overlap)
    if overlap == text or len(text) - len(overlap) == 1:
        yield Fit(open_ended.rstrip())
        yield Fit(_closed(text, place))
        for part in shorter:
            yield Fit(part)


def _closed(text: str, place: Place) -> str:
    """The text with what it leaves open closed: it was cut off, by its length or by the end of what is wanted.

    Braces close on a line of their own, as deep as the line that opened them.
    """
    whole = place.line_prefix + text
    opens = brackets(whole if place.unclosed else text, place.line_comment).opens
    if not opens:
        return text
    moved = 0 if place.unclosed else len(place.line_prefix)
    lines = whole.split("\n")
    closed = text.rstrip(" ,")
    for number, group in groupby(opens, key=lambda opened: whole.count("\n", 0, opened[0] + moved)):
        closers = "".join(closer for _, closer in group)
        closed += f"\n{indent_of(lines[number])}{closers}" if "}" in closers and number < len(lines) - 1 else closers
    return closed


def _without_heads(text: str) -> str:
    """The text without last lines that open something which has nothing in it yet."""
    while "\n" in text and brackets(text[text.rindex("\n") :]).opens:
        text = text[: text.rindex("\n")]
    return text


def _closed_by(closing: str, suffix: str) -> Iterator[int]:
    """How much at the start of ``suffix`` a text may stand for: closers that it writes as well, in order."""
    at = matched = 0
    lengths = []
    for length, char in enumerate(suffix, 1):
        if char.isspace():
            continue
        at = closing.find(char, at) + 1
        if not at:
            break
        matched = length
        lengths.append(matched)
    yield from reversed(lengths)


def _says_nothing(candidate: Fit, place: Place) -> bool:
    """Whether a candidate adds nothing, or makes the cursor's line say what the line below says."""
    if not candidate.text.strip() or place.line_suffix.strip().startswith(candidate.text.strip()):
        return True
    line = (place.line_prefix + candidate.text + place.line_suffix[candidate.replaces :]).strip()
    return len(line) > 3 and line == place.below.strip()
