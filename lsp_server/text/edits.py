"""Edits as values: applying them, finding the smallest ones, showing them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lsp_server.text.positions import split_lines


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace ``text[start:end]`` by ``new_text``; offsets count code points."""

    start: int
    end: int
    new_text: str


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Apply edits whose offsets all mean ``text`` as it is now; insertions at one place keep their order.

    Raises:
        ValueError: two edits overlap, or one lies outside the text.
    """
    pieces: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not 0 <= edit.start <= edit.end <= len(text):
            raise ValueError(f"{edit} lies outside a text of {len(text)} characters")
        if edit.start < done:
            raise ValueError(f"{edit} overlaps the edit before it, which ends at {done}")
        pieces += (text[done : edit.start], edit.new_text)
        done = edit.end
    return "".join((*pieces, text[done:]))


def minimal_edits(before: str, after: str) -> list[TextEdit]:
    """The line-wise difference, each piece trimmed to the characters that differ.

    ``apply_edits(before, minimal_edits(before, after)) == after``. No edit begins or ends between the two characters
    of a ``\\r\\n``: such a place has no position in the protocol.
    """
    old, new = split_lines(before), split_lines(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    # autojunk would treat lines that repeat, such as blank ones and lone braces, as no anchor at all.
    matcher = difflib.SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    edits: list[TextEdit] = []
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            replacement = "".join(new[head + new_start : head + new_end])
            edits.append(_trimmed(before, starts[head + old_start], starts[head + old_end], replacement))
    return edits


def unified_diff(before: str, after: str, name: str) -> str:
    """The change as a unified diff of the file ``name``; empty if there is none."""
    return "".join(
        line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n"
        for line in _diff_lines(before, after, name)
    )


def detect_newline(text: str) -> str:
    """The line end that the text uses most; ``\\n`` if it has none."""
    crlf = text.count("\r\n")
    counts = {"\n": text.count("\n") - crlf, "\r\n": crlf, "\r": text.count("\r") - crlf}
    return max(counts, key=lambda newline: counts[newline])


def indent_of(line: str) -> str:
    """The blanks and tabs that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def indent_unit(text: str) -> str:
    """One step of indentation: the commonest in the text; four blanks if it has none."""
    steps: Counter[str] = Counter()
    before = ""
    for line in split_lines(text):
        if line.strip():
            indent = indent_of(line)
            if len(indent) > len(before) and indent.startswith(before):
                steps[indent[len(before) :]] += 1
            before = indent
    return steps.most_common(1)[0][0] if steps else "    "


def _diff_lines(before: str, after: str, name: str) -> Iterator[str]:
    return difflib.unified_diff(split_lines(before), split_lines(after), f"a/{name}", f"b/{name}")


def _common(left: list[str], right: list[str]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _trimmed(text: str, start: int, end: int, new_text: str) -> TextEdit:
    old = text[start:end]
    limit = min(len(old), len(new_text))
    head = 0
    while head < limit and old[head] == new_text[head]:
        head += 1
    if _inside_crlf(text, start + head):
        head -= 1
    tail = 0
    while tail < limit - head and old[-1 - tail] == new_text[-1 - tail]:
        tail += 1
    if tail and _inside_crlf(text, end - tail):
        tail -= 1
    return TextEdit(start + head, end - tail, new_text[head : len(new_text) - tail])


def _inside_crlf(text: str, offset: int) -> bool:
    return offset > 0 and text[offset - 1 : offset + 1] == "\r\n"
