"""The line that follows an accepted suggestion, as an editor leaves it after Enter."""

from __future__ import annotations

import re

from lsp_server.features.inline_completion import Suggestion
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, detect_newline, indent_unit

_OPENS = re.compile(r"(?:[:{(\[]|=>|\b(?:then|do))$")


def next_line(snapshot: Snapshot, offset: int, suggestion: Suggestion) -> tuple[Snapshot, int] | None:
    """The document with the suggestion in it and a new line begun behind it, and the offset of that line's end.

    None where something else stands behind the suggestion on its line.
    """
    lines = snapshot.lines
    end = offset + suggestion.replaces
    if snapshot.text[end : lines.line_end(lines.line_of(end))].strip():
        return None
    line = (snapshot.text[lines.line_start(lines.line_of(offset)) : offset] + suggestion.text).split("\n")[-1]
    indentation = line[: len(line) - len(line.lstrip())]
    if _OPENS.search(line.rstrip()):
        indentation += indent_unit(snapshot.text)
    added = f"{suggestion.text}{detect_newline(snapshot.text)}{indentation}"
    edited = snapshot.edited([TextEdit(offset, end, added)], snapshot.version)
    return edited, offset + len(added)
