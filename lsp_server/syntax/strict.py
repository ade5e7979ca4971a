"""What a language's own parser says, where it is at hand: a grammar forgives what a compiler does not."""

from __future__ import annotations

import ast
import textwrap
import warnings

from lsp_server.syntax.around import enclosing
from lsp_server.syntax.snapshot import Snapshot

# A text of this length takes Python's parser about 10 ms.
_MOST_CHARS = 50_000


def refused_line(snapshot: Snapshot, offset: int) -> int | None:
    """The line where Python refuses the outermost function or class around a place; at the top of a file, the file.

    None if it takes it, for other languages, and for more code than can be parsed between two keys. Code for a newer
    Python than this one is refused as well, so what counts is whether an edit changes the answer.
    """
    if snapshot.language is None or snapshot.language.id != "python":
        return None
    around = enclosing(snapshot, offset)
    lines = snapshot.lines
    start, end = (around[-1].start, around[-1].end) if around else (0, len(snapshot.text))
    # Half a definition may end before the cursor in the tree.
    end = max(end, lines.line_end(lines.line_of(offset)))
    if end - start > _MOST_CHARS:
        return None
    first = lines.line_of(start)
    code = textwrap.dedent(snapshot.text[lines.line_start(first) : end])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except SyntaxError as error:
        return first + (error.lineno or 1) - 1
    except (ValueError, RecursionError, MemoryError):
        return first
    return None
