"""Code in a chat answer → code for a file."""

from __future__ import annotations

import re
import textwrap

from lsp_server.syntax.scopes import scopes
from lsp_server.syntax.snapshot import Snapshot

# Three backticks end a block where they begin a line: within it they may stand in documentation.
_FENCE = re.compile(r"```[^\n`]*\n(.*?)(?:^```|\Z)", re.DOTALL | re.MULTILINE)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_EXAMPLES = re.compile(r"^(?://|#|/\*|--|;)\s*(?:example|sample|usage|test)s?\b", re.IGNORECASE | re.MULTILINE)


def strip_answer(answer: str) -> str:
    """The code of an answer: without thinking, fences and prose around them, at column 0, with one final newline."""
    answer = _THOUGHT.sub("", answer)
    fenced = _FENCE.search(answer)
    code = fenced.group(1) if fenced else answer
    lines = [line.rstrip() for line in code.split("\n")]
    return textwrap.dedent("\n".join(lines)).strip("\n") + "\n"


def ends_with_definition(code: str, language_id: str) -> bool:
    """Whether nothing stands behind the last function or class of some code."""
    return 0 < _end_of_definitions(code, language_id) >= len(code.rstrip().rstrip(";"))


def up_to_last_definition(code: str, language_id: str) -> str:
    """Code without what stands behind its last function or class, such as examples; all of it if it has none."""
    end = _end_of_definitions(code, language_id)
    closing = code[end:].lstrip(" \t")[:1] if end else ""
    return code[:end] + (";" if closing == ";" else "") + "\n" if end else code


def without_examples(code: str, language_id: str) -> str:
    """Code without the examples of its use that are announced behind its last function or class."""
    end = _end_of_definitions(code, language_id)
    found = _EXAMPLES.search(code, end) if end else None
    return code[: found.start()].rstrip("\n") + "\n" if found else code


def _end_of_definitions(code: str, language_id: str) -> int:
    return max((scope.end for scope in scopes(Snapshot.open(code, language_id))), default=0)


def reindent(code: str, indentation: str, newline: str) -> str:
    """Code at column 0 → code whose first line stands at the cursor and whose others are indented to it."""
    first, *rest = code.rstrip("\n").split("\n")
    return newline.join([first, *(f"{indentation}{line}" if line.strip() else "" for line in rest)])
