"""What a language's own parser says, where it is at hand: a grammar forgives what a compiler does not."""

from __future__ import annotations

import ast
import textwrap
import warnings

from lsp_server.syntax.around import enclosing
from lsp_server.syntax.snapshot import Snapshot

# A text of this length takes Python's parser about 10 ms.
_MOST_CHARS = 50_000


def is_refused(snapshot: Snapshot, offset: int) -> bool:
    """Whether Python refuses the outermost function or class around a place, or what is near it at the top of a file.

    False for other languages, and for more code than can be parsed between two keys. Code for a newer Python than this
    one is refused as well, so what counts is whether an edit changes the answer.
    """
    if snapshot.language is None or snapshot.language.id != "python":
        return False
    around = enclosing(snapshot, offset)
    lines = snapshot.lines
    start, end = (around[-1].start, around[-1].end) if around else (0, len(snapshot.text))
    # Half a definition may end before the cursor in the tree.
    end = max(end, lines.line_end(lines.line_of(offset)))
    if end - start > _MOST_CHARS:
        return False
    code = textwrap.dedent(snapshot.text[lines.line_start(lines.line_of(start)) : end])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return False
