"""What stands right above a definition: its documentation and its attributes.

Internal to the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import tree_sitter

from lsp_server.syntax.languages import DocStyle
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.positions import LineIndex

Span = tuple[int, int]

# A directive to a tool (//go:embed, //nolint:gosec, #!/bin/sh), not documentation.
_DIRECTIVE = re.compile(r"//[a-z0-9]+:[a-z0-9]|#!")


class Surroundings:
    """What may stand right above a definition: comments and attributes, found by where they end."""

    def __init__(
        self, snapshot: Snapshot, comments: Iterable[tree_sitter.Node], attributes: Iterable[tree_sitter.Node]
    ) -> None:
        self._snapshot = snapshot
        self._comments = dict(self._end_and_start(node) for node in comments)
        self._attributes = dict(self._end_and_start(node) for node in attributes)

    def start_with_attributes(self, start: int) -> int:
        """``start``, moved up over the attributes before it (and over comments between them)."""
        found, end = start, end_above(self._snapshot.lines, start)
        while end in self._attributes or end in self._comments:
            if end in self._attributes:
                start = found = self._attributes[end]
            else:
                start = self._comments[end]
            end = end_above(self._snapshot.lines, start)
        return found

    def docs_above(self, start: int, style: DocStyle) -> Span | None:
        """The documentation comment that ends right above ``start``: one block, or a run of lines."""
        docs: Span | None = None
        end = end_above(self._snapshot.lines, start)
        while end in self._comments:
            begin = self._comments[end]
            if not self._is_documentation(begin, style) or not self._begins_line(begin):
                break
            docs = (begin, docs[1] if docs else end)
            end = end_above(self._snapshot.lines, begin)
            if self._snapshot.text.startswith("/*", begin) or (end in self._comments and self._is_block(end)):
                break
        return docs

    def _end_and_start(self, node: tree_sitter.Node) -> Span:
        start, end = self._snapshot.span(node)
        # Some grammars count a line comment's newline in.
        return start + len(self._snapshot.text[start:end].rstrip()), start

    def _begins_line(self, start: int) -> bool:
        lines = self._snapshot.lines
        line = lines.line_of(start)
        return lines.line_start(line) + len(lines.indentation(line)) >= start

    def _is_block(self, end: int) -> bool:
        return self._snapshot.text.startswith("/*", self._comments[end])

    def _is_documentation(self, begin: int, style: DocStyle) -> bool:
        text = self._snapshot.text
        return text.startswith(style.recognized, begin) and not _DIRECTIVE.match(text, begin)


def end_above(lines: LineIndex, start: int) -> int:
    """Where the text before ``start`` ends, or -1 if a blank line lies between."""
    end = start
    while end > 0 and lines.text[end - 1].isspace():
        end -= 1
    return end if end and lines.line_of(start) - lines.line_of(end - 1) <= 1 else -1
