"""A hole for a model that can only talk: what it is asked, and what of its answer belongs at the cursor.

Its answer is begun with all that stands before the hole, so that it goes on there as it would in any text, and a typed
character costs one evaluated token. What comes behind the hole is in the question (``prompts/fill_hole``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsp_server.inference.backend import Message

# What ends an answer that may have several lines.
STOP = "\n```"
_HELD_BACK = re.compile(r"[^\S\r\n]*\w*\Z")
_CLOSING_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)


def messages(rendered: Sequence[Message], fence: str, prefix: str) -> tuple[Message, ...]:
    """The conversation whose last message the model goes on with.

    Args:
        rendered: the prompt ``fill_hole``.
        fence: the word after three backticks.
        prefix: the text before the hole.
    """
    opening = prefix[: len(prefix) - len(_held_back(prefix))]
    return (*rendered, Message("assistant", f"```{fence}\n{opening}"))


def grammar(line_prefix: str) -> str | None:
    """GBNF of an answer that begins with what ``messages`` has left out; None if that is nothing.

    Args:
        line_prefix: the cursor's line up to the cursor.
    """
    held_back = _held_back(line_prefix)
    return f'root ::= "{held_back}" [^\\x00]*' if held_back else None


def strip(answer: str, line_prefix: str, line_suffix: str) -> str:
    """What of an answer, or of its beginning, belongs at the cursor; empty if it begins with another word.

    The answer goes on to the end of the line, and so may repeat what stands behind the cursor.
    """
    held_back = _held_back(line_prefix)
    if answer.startswith(held_back):
        text = answer[len(held_back) :]
    elif held_back.strip():
        return ""
    else:
        text = answer.lstrip(" \t")
    if closing := _CLOSING_FENCE.search(text):
        text = text[: closing.start()].removesuffix("\n")
    first, suffix = text.split("\n")[0], line_suffix.strip()
    return first[: first.rindex(suffix)] if suffix and suffix in first else text


def _held_back(text: str) -> str:
    """A begun word and the blanks before it. A word is one token with its blank; half of a word is another one."""
    match = _HELD_BACK.search(text)
    return match.group() if match else ""
