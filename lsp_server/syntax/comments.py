"""The comments of a text, as people write them: several lines in a row are one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.text_nodes import is_comment

# What begins a line of a comment, or ends it, in any language.
_MARKS = re.compile(r"^(?://[/!]?|#+!?|--+|/\*+!?|\*+/?|;+|%+|\"\"\")[ \t]?|[ \t]*\*+/$")


@dataclass(frozen=True, slots=True)
class Comment:
    """Comments that stand alone on lines that follow each other.

    Attributes:
        start, end: from the first one's first character to the last one's end, without its line end.
        text: what they say, without the marks, the lines as they are.
    """

    start: int
    end: int
    text: str


def comment_at(snapshot: Snapshot, offset: int) -> Comment | None:
    """The comment on the line of an offset; None if the line has code, or no comment."""
    lines = snapshot.lines
    line = lines.line_of(offset)
    if not _is_comment(snapshot, line):
        return None
    first = last = line
    while first > 0 and _is_comment(snapshot, first - 1):
        first -= 1
    while last + 1 < lines.line_count and _is_comment(snapshot, last + 1):
        last += 1
    said = (_MARKS.sub("", lines.line_text(one).strip()).strip() for one in range(first, last + 1))
    start = lines.line_start(first) + len(lines.indentation(first))
    return Comment(start, lines.line_end(last), "\n".join(said).strip())


def _is_comment(snapshot: Snapshot, line: int) -> bool:
    """Whether there is nothing but a comment on a line, or a part of one."""
    start, end = snapshot.lines.line_start(line), snapshot.lines.line_end(line)
    start += len(snapshot.lines.indentation(line))
    text = snapshot.text[start:end].rstrip()
    # `#!/bin/sh` is for the system.
    if not text or snapshot.tree is None or (text.startswith("#!") and line == 0):
        return False
    node = snapshot.tree.root_node.descendant_for_byte_range(
        snapshot.lines.byte_offset(start), snapshot.lines.byte_offset(start + len(text)) - 1
    )
    return node is not None and is_comment(node)


def without_comments(snapshot: Snapshot) -> str:
    """A text with its comments left out."""
    found: list[tuple[int, int]] = []
    nodes = [snapshot.tree.root_node] if snapshot.tree else []
    while nodes:
        node = nodes.pop()
        if is_comment(node):
            found.append(snapshot.span(node))
        else:
            nodes += node.children
    text = snapshot.text
    for start, end in sorted(found, reverse=True):
        text = text[:start] + text[end:]
    return text
