"""A long day of typing: documents are what a plain reference says, in every encoding that columns can have."""

from __future__ import annotations

import random
import re

import pytest
from lsprotocol import types as lsp

from lsp_server.server.documents import Documents
from lsp_server.text.positions import PositionEncoding

EDITS = 100_000
PIECES = [
    *("a", "b ", "\t", "def f(x):\n    ", "\n", "\r\n", "\r", "\n\n", "'", '"', "(", ")", "# ", "return 1\n"),
    *("é", "漢字", "😀", "👩‍👩‍👧", "e\u0301", "\u2028", "\x0c", "\ud83d", "\ufeff", "\0"),
]
UNITS = {
    PositionEncoding.UTF8: lambda text: len(text.encode("utf-8", "surrogatepass")),
    PositionEncoding.UTF16: lambda text: len(text) + sum(char > "\uffff" for char in text),
    PositionEncoding.UTF32: len,
}


def position(text: str, offset: int, encoding: PositionEncoding) -> lsp.Position:
    """Where an offset is, found by looking at all that stands before it."""
    # The one place that has no position of its own is told as the line's end.
    if text[offset - 1 : offset + 1] == "\r\n" and offset:
        offset -= 1
    ends = [end.end() for end in re.finditer(r"\r\n|\n|\r", text) if end.end() <= offset]
    return lsp.Position(len(ends), UNITS[encoding](text[ends[-1] if ends else 0 : offset]))


def splits(text: str, offset: int) -> bool:
    """Whether an offset is between a carriage return and its line feed."""
    return 0 < offset < len(text) and text[offset - 1 : offset + 1] == "\r\n"


@pytest.mark.parametrize("encoding", list(PositionEncoding))
def test_a_hundred_thousand_edits(encoding: PositionEncoding) -> None:
    chance = random.Random(encoding.value)  # noqa: S311 - the same one each time
    documents, text, version = Documents(), "x = 1\r\n", 0
    documents.open(lsp.TextDocumentItem("file:///a.py", "python", version, text))
    done = 0
    while done < EDITS:
        changes: list[lsp.TextDocumentContentChangeEvent] = []
        for _ in range(chance.choice((1, 1, 1, 4))):
            start = chance.randint(0, len(text))
            # What was typed goes away again, so that the text stays short.
            longest = 3 if len(text) < 250 else 40
            end = min(start + chance.choice((0, 0, 1, chance.randint(0, longest))), len(text))
            start, end = start - splits(text, start), end - splits(text, end)
            new = "".join(chance.choices(PIECES, k=chance.choice((0, 1, 1, 2))))
            range_ = lsp.Range(position(text, start, encoding), position(text, end, encoding))
            changes.append(lsp.TextDocumentContentChangePartial(range_, new))
            text = text[:start] + new + text[max(start, end) :]
            done += 1
        version += 1
        documents.change("file:///a.py", version, changes, encoding)
        snapshot = documents.get("file:///a.py")
        assert snapshot is not None
        assert (snapshot.text, snapshot.version) == (text, version)
        if done % 1000 < len(changes):
            # What is kept of a text is kept up to date, too.
            ends = [0, *(end.end() for end in re.finditer(r"\r\n|\n|\r", text))]
            assert [snapshot.lines.line_start(line) for line in range(snapshot.lines.line_count)] == ends
            assert snapshot.lines.byte_offset(len(text)) == UNITS[PositionEncoding.UTF8](text)
