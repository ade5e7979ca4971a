"""From a file's bytes, or an open document, to what the index has of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lsp_server.context.index.types import IndexedSymbol
from lsp_server.syntax.imports import Import, imports
from lsp_server.syntax.languages import Language, language_for_path
from lsp_server.syntax.names import name_counts
from lsp_server.syntax.outline import Symbol, outline
from lsp_server.syntax.snapshot import Snapshot

# Larger files are data, or were made by a program.
MAX_BYTES = 1_000_000
# Characters; nobody writes a line like that, and a file that is half such lines was not written by anybody.
_LONG_LINE = 1000
# A name that is longer is data.
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one file defines (each with its line, from 0), takes from others, and names how often."""

    symbols: tuple[tuple[Symbol, int], ...] = ()
    imports: tuple[Import, ...] = ()
    names: Mapping[str, int] = field(default_factory=dict)


def indexed_language(path: str) -> Language | None:
    """The language of a file that the index is for: one of the first class, whose files have symbols."""
    language = language_for_path(path)
    return language if language and language.queries else None


def readable(data: bytes) -> str | None:
    """The text of a file; None for what is too large, binary, no UTF-8, or minified."""
    if len(data) > MAX_BYTES or b"\0" in data:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    long = sum(len(line) for line in text.split("\n") if len(line) > _LONG_LINE)
    return None if long * 2 > len(text) else text


def is_readable(text: str) -> bool:
    """Whether a file of this text would be read."""
    # An editor may send half of a surrogate pair, which is no UTF-8.
    return readable(text.encode("utf-8", "surrogatepass")) is not None


def indexed(path: Path, snapshot: Snapshot) -> tuple[IndexedSymbol, ...]:
    """What a document offers, as the index would have it of the file ``path`` (absolute)."""
    line_of = snapshot.lines.line_of
    return tuple(
        IndexedSymbol(s.name, s.kind, s.container, path, s.start, s.end, line_of(s.start), s.signature, s.doc)
        for s in outline(snapshot)
    )


def facts(snapshot: Snapshot) -> FileFacts:
    """What the index keeps of a document."""
    return FileFacts(
        tuple((symbol, snapshot.lines.line_of(symbol.start)) for symbol in outline(snapshot)),
        imports(snapshot),
        {name: count for name, count in name_counts(snapshot).items() if len(name) <= _LONGEST_NAME},
    )
