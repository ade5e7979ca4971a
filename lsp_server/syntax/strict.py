"""What a language's own parser says, where it is at hand: a grammar forgives what a compiler does not."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

from lsp_server.syntax.around import enclosing
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import indent_of

# A text of this length takes Python's compiler some 20 ms.
_MOST_CHARS = 50_000
# What is said of code that is right as far as it goes.
_UNFINISHED = ("expected an indented block", "expected 'except' or 'finally' block", "expected ':'")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first thing that a compiler does not take.

    Attributes:
        line: where, from 0.
        unfinished: only a block or the end of a header is missing, which would be written next.
    """

    line: int
    unfinished: bool


def refusal(snapshot: Snapshot, offset: int) -> Refusal | None:
    """What Python refuses in the outermost function or class around a place; at the top of a file, in the file.

    None if it takes it, for other languages, and for more code than can be compiled between two keys. Code for a newer
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
    code = snapshot.text[lines.line_start(first) : end]
    if indent_of(code):
        code, first = f"if 1:\n{code}", first - 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "code", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return Refusal(first + (error.lineno or 1) - 1, error.msg.startswith(_UNFINISHED))
    except (ValueError, RecursionError, MemoryError):
        return Refusal(first, unfinished=False)
    return None
