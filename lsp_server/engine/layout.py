"""From what surrounds a cursor to a fill-in-the-middle prompt of token ids.

The order and how much of the suffix a prompt may hold are properties of the model family (``models/catalog.toml``):

* ``prefix-first``: ``PRE prefix SUF suffix MID``, as most models were trained. A keystroke evaluates the suffix.
* ``suffix-first``: ``PRE SUF suffix MID prefix``. Typing then only appends to the prompt, so that a keystroke
  evaluates one token instead of the whole suffix; Qwen2.5-Coder also fills better that way.

Other files go in front of both, in the repository form of Qwen2.5-Coder, for models that have its tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
    """A prompt, what was taken off the end of the prefix because the answer begins with it, and what can be reused.

    Attributes:
        indentation: of a blank line. The line is generated from column 0: given its indentation, a model tends to
            write it twice. The answer may begin with it.
        begun_word: a word that is being typed. ``ret`` is a token of its own, after which ``urn`` hardly ever came in
            training; without it the model can choose ``return``. The answer must begin with it.
        boundaries: positions in ``tokens``, ascending, at which a saved state would serve a later prompt.
        shared: length of the leading part that prompts of other places begin with as well (the other files); 0 if
            there is none.
    """

    tokens: list[int]
    indentation: str = ""
    begun_word: str = ""
    boundaries: tuple[int, ...] = ()
    shared: int = 0

    def behind(self, head: list[int]) -> Prompt:
        """The same prompt with tokens in front that every prompt begins with."""
        return replace(
            self,
            tokens=[*head, *self.tokens],
            boundaries=tuple(position + len(head) for position in self.boundaries),
            shared=self.shared and self.shared + len(head),
        )


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
    the suffix keeps at most a quarter of the room, and what the layout allows it. All three give way in strides:
    if they made room for one token at a time, each character typed would shift all that follows.
    """
    prefix_text, indentation = _split_indentation(hole.prefix)
    match = _BEGUN_WORD.search(prefix_text) if complete_word else None
    begun_word = match.group() if match else ""
    prefix_text = prefix_text.removesuffix(begun_word)
    room = max(budget - 3, 0)
    stride = max(room // _STRIDES, 1)
    prefix = tokenize(prefix_text)
    # Counted with the begun word, or else `f(` would be longer than `f(x`.
    length = len(prefix) + len(tokenize(begun_word))
    wanted = -(-length // stride) * stride
    suffix = tokenize(hole.suffix)[: layout.suffix_tokens]
    suffix = suffix[: max(room // 4, room - wanted)]
    if (excess := length - (room - len(suffix))) > 0:
        prefix = prefix[_cut(prefix, -(-excess // stride) * stride, stride, tokenize) :]
    extra = _extra_files(hole, fim, tokenize, room - wanted - len(suffix))
    line = len(prefix) - min(len(prefix), len(tokenize(_cursor_line(prefix_text))))
    settled = max(len(prefix) - _UNSETTLED, 0)
    positions = {len(extra)}
    if layout.order == "suffix-first":
        head = [*extra, fim.prefix, fim.suffix, *suffix, fim.middle]
        tokens = [*head, *prefix]
        positions.add(len(head))
    else:
        head = [*extra, fim.prefix]
        tokens = [*head, *prefix, fim.suffix, *suffix, fim.middle]
    positions |= {len(head) + line, len(head) + settled, len(tokens) - 1}
    boundaries = tuple(sorted(position for position in positions if 0 < position < len(tokens)))
    return Prompt(tokens, indentation, begun_word, boundaries, len(extra))


# The room is given up in so many steps. A step evaluates the prefix anew; fewer steps would leave more room unused.
_STRIDES = 8
# So many tokens at the end of a text may become others when it goes on.
_UNSETTLED = 2
# Texts that usually are a token of their own at the end of a line.
_LINE_ENDS = ("\n", "\n\n", "\r\n", ":\n", ")\n", ",\n")
# What tokenizers keep together at most: letters, and one character before them that is neither a letter nor a digit.
_BEGUN_WORD = re.compile(r"(?:[^\w\r\n]|_)?[^\W\d_]+\Z|(?<=\S) \Z")
_BEGUN_NAME = re.compile(r"\w*\Z")


def names_behind(prefix: str, begun_word: str, names: Sequence[str]) -> tuple[str, ...]:
    """How the answers begin that write one of some names at the cursor, of which the prefix may hold a part."""
    match = _BEGUN_NAME.search(prefix)
    begun = match.group() if match else ""
    return tuple(begun_word + name.removeprefix(begun) for name in names if name.startswith(begun))


def line_before(prefix: str, begun_word: str) -> str:
    """What stands before the answer on its line; nothing where that is blank, since the answer begins with it."""
    line = _cursor_line(prefix).removesuffix(begun_word)
    return line if line.strip() else ""


def _split_indentation(prefix: str) -> tuple[str, str]:
    """(prefix without the blank start of the cursor's line, that blank start)."""
    line = _cursor_line(prefix)
    return (prefix[: len(prefix) - len(line)], line) if line and not line.strip() else (prefix, "")


def _cursor_line(prefix: str) -> str:
    return prefix[max(prefix.rfind("\n"), prefix.rfind("\r")) + 1 :]


def _cut(tokens: Sequence[int], at: int, stride: int, tokenize: Callable[[str], list[int]]) -> int:
    """Where the next line begins from a position on, if it does soon, or else the position."""
    ends = {ids[-1] for ids in map(tokenize, _LINE_ENDS) if ids}
    lines = range(at, min(at + stride // 2, len(tokens) - _UNSETTLED))
    return next((position + 1 for position in lines if tokens[position] in ends), at)


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
