"""Links to lines of code, by the symbol that stands there: what is moved is followed, what is renamed is an error.

In a page a link ``[`Suggesting.suggest`](../lsp_server/…/suggesting.py#L72)`` says by its text which symbol is meant;
its line is worked out.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.outline import outline
from lsp_server.syntax.snapshot import Snapshot

_LINK = re.compile(r"(\[`([\w.:]+)`\]\(([^()\s#]+)#L)\d+(?=\))")


class LostSymbolError(Exception):
    """A page links a symbol that its file does not have."""


def with_lines(page: Path) -> str:
    """A page's text, each of its links to a symbol leading to the line where that begins now.

    Raises:
        LostSymbolError: a file is not there, or has no such symbol.
    """

    def line(link: re.Match[str]) -> str:
        before, symbol, target = link.groups()
        path = (page.parent / target).resolve()
        try:
            return f"{before}{_lines(path)[symbol]}"
        except (OSError, KeyError) as error:
            raise LostSymbolError(f"{page.name} links `{symbol}` in {target}, which is not there.") from error

    return _LINK.sub(line, page.read_text(encoding="utf-8"))


@cache
def _lines(path: Path) -> dict[str, int]:
    """Where the symbols of a file begin, by their full names: lines, counted from 1."""
    language = language_for_path(path)
    snapshot = Snapshot.open(path.read_text(encoding="utf-8"), language.id if language else "")
    found = {}
    for symbol in outline(snapshot):
        name = f"{symbol.container}.{symbol.name}" if symbol.container else symbol.name
        found[name] = snapshot.lines.line_of(symbol.start) + 1
    return found
