"""Code in a chat answer → code for a file."""

from __future__ import annotations

import re
import textwrap

# Three backticks end a block where they begin a line: within it they may stand in documentation.
_FENCE = re.compile(r"```[^\n`]*\n(.*?)(?:^```|\Z)", re.DOTALL | re.MULTILINE)
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


def strip_answer(answer: str) -> str:
    """The code of an answer: without thinking, fences and prose around them, at column 0, with one final newline."""
    answer = _THOUGHT.sub("", answer)
    fenced = _FENCE.search(answer)
    code = fenced.group(1) if fenced else answer
    lines = [line.rstrip() for line in code.split("\n")]
    return textwrap.dedent("\n".join(lines)).strip("\n") + "\n"


def reindent(code: str, indentation: str, newline: str) -> str:
    """Code at column 0 → code whose first line stands at the cursor and whose others are indented to it."""
    first, *rest = code.rstrip("\n").split("\n")
    return newline.join([first, *(f"{indentation}{line}" if line.strip() else "" for line in rest)])
