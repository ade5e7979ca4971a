"""From what surrounds a cursor to a fill-in-the-middle prompt of token ids.

The order is a property of the model family (``models/catalog.toml``):

* ``prefix-first``: ``PRE prefix SUF suffix MID``, as most models were trained.
* ``suffix-first``: ``PRE SUF suffix MID prefix``. Typing then only appends to the prompt, so that a keystroke
  evaluates one token instead of the whole suffix; Qwen2.5-Coder also fills better that way.

Other files go in front of both, in the repository form of Qwen2.5-Coder, for models that have its tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lsp_server.engine.native.model import FimTokens
from lsp_server.models.catalog import FimLayout
from lsp_server.text.snippet import Snippet


@dataclass(frozen=True, slots=True)
class Hole:
    """What surrounds a cursor. ``path`` names the file the hole is in; it may be empty."""

    prefix: str
    suffix: str
    path: str = ""
    repository: str = ""
    extra: tuple[Snippet, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, and what was taken off the end of the prefix because the answer begins with it.

    Attributes:
        indentation: of a blank line. The line is generated from column 0: given its indentation, a model tends to
            write it twice. The answer may begin with it.
        begun_word: a word that is being typed. ``ret`` is a token of its own, after which ``urn`` hardly ever came in
            training; without it the model can choose ``return``. The answer must begin with it.
    """

    tokens: list[int]
    indentation: str = ""
    begun_word: str = ""


def fim_prompt(
    hole: Hole,
    fim: FimTokens,
    layout: FimLayout,
    tokenize: Callable[[str], list[int]],
    budget: int,
    *,
    complete_word: bool = True,
) -> Prompt:
    """Lay a hole out within ``budget`` tokens.

    Args:
        complete_word: leave a begun word to the answer. Not for an answer under a grammar, which knows nothing of it.

    What does not fit goes in this order: other files (last first), the head of the prefix, the tail of the suffix;
    the suffix keeps at most a quarter of the room.
    """
    prefix_text, indentation = _split_indentation(hole.prefix)
    match = _BEGUN_WORD.search(prefix_text) if complete_word else None
    begun_word = match.group() if match else ""
    prefix_text = prefix_text.removesuffix(begun_word)
    prefix, suffix = tokenize(prefix_text), tokenize(hole.suffix)
    room = max(budget - 3, 0)
    suffix = suffix[: max(room // 4, room - len(prefix))]
    prefix = prefix[len(prefix) - min(len(prefix), room - len(suffix)) :]
    extra = _extra_files(hole, fim, tokenize, room - len(prefix) - len(suffix))
    if layout == "suffix-first":
        tokens = [*extra, fim.prefix, fim.suffix, *suffix, fim.middle, *prefix]
    else:
        tokens = [*extra, fim.prefix, *prefix, fim.suffix, *suffix, fim.middle]
    return Prompt(tokens, indentation, begun_word)


# What tokenizers keep together at most: letters, and one character before them that is neither a letter nor a digit.
_BEGUN_WORD = re.compile(r"(?:[^\w\r\n]|_)?[^\W\d_]+\Z|(?<=\S) \Z")


def _split_indentation(prefix: str) -> tuple[str, str]:
    """(prefix without the blank start of the cursor's line, that blank start)."""
    line_start = max(prefix.rfind("\n"), prefix.rfind("\r")) + 1
    line = prefix[line_start:]
    return (prefix[:line_start], line) if line and not line.strip() else (prefix, "")


def _extra_files(hole: Hole, fim: FimTokens, tokenize: Callable[[str], list[int]], room: int) -> Sequence[int]:
    if not hole.extra or fim.repository is None or fim.separator is None:
        return []
    head = [fim.repository, *tokenize(f"{hole.repository}\n")]
    tail = [fim.separator, *tokenize(f"{hole.path}\n")]
    tokens: list[int] = []
    for file in hole.extra:
        block = [fim.separator, *tokenize(f"{file.path}\n{file.text}\n")]
        if len(head) + len(tokens) + len(block) + len(tail) > room:
            break
        tokens += block
    return [*head, *tokens, *tail] if tokens else []
