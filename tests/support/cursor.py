"""A cursor written into test text."""

from __future__ import annotations

MARKER = "<|>"


def cursor(marked: str) -> tuple[str, int]:
    """The text without its one ``<|>``, and the offset where that stood."""
    before, marker, after = marked.partition(MARKER)
    assert marker, f"no {MARKER} in the text"
    assert MARKER not in after, f"more than one {MARKER} in the text"
    return before + after, len(before)
