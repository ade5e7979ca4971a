"""llama.vim's recipe, written from its description: what it sends, what it makes of the answer.

Source of every figure: ggml-org/llama.vim, ``autoload/llama.vim`` (``s:default_config``, ``s:fim_ctx_local``,
``llama#fim``, ``s:fim_try_hint``, ``s:fim_render``) at commit ae3cb006, and ``doc/llama.txt`` at 0fb14e7b for the
server's options; the newer versions that could be read send the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

N_PREFIX, N_SUFFIX = 256, 64  # lines
N_PREDICT = 128
T_FIRST_MS, T_MOST_MS = 250, 1000
"""How long after the first token an answer ends with its line: the first one at a place, and those sent ahead."""
MOST_LINE_SUFFIX = 8
"""With more characters than this right of the cursor nothing is asked for unless the user asks."""
TYPED_THROUGH = 128
"""How many characters back an answer is looked up."""
MOST_CACHED = 250
RETRY_S = 0.1
N_UBATCH = 512
SERVER_ARGS = ("-b", "1024", "--cache-reuse", "256")
_SCROLLED = 3


@dataclass(frozen=True, slots=True)
class Context:
    """The text around a cursor as it is sent.

    Attributes:
        middle: of the cursor's line what stands before the cursor; nothing if the line is blank.
        indent: of the cursor's line, in characters.
        line_prefix, line_suffix: the cursor's line as it is.
        below: lines after it.
    """

    prefix: str
    middle: str
    suffix: str
    indent: int
    line_prefix: str
    line_suffix: str
    below: tuple[str, ...]

    @property
    def keys(self) -> list[str]:
        """Under what the answer is kept: also as it will look after up to three lines were scrolled away."""
        prefix, keys = self.prefix, [self.key(self.prefix + self.middle)]
        for _ in range(_SCROLLED):
            _, newline, prefix = prefix.partition("\n")
            if not newline or not prefix:
                break
            keys.append(self.key(prefix + self.middle))
        return keys

    def key(self, before: str) -> str:
        """Under what the answer to another text before the cursor would be kept."""
        return hashlib.sha256(f"{before}\0{self.suffix}".encode()).hexdigest()


def context(text: str, offset: int, ahead: str = "", indent: int = 0) -> Context:
    """The context of a cursor.

    Args:
        ahead: a suggestion that is taken for accepted, with the indentation from before it.
    """
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    end = len(text) if end < 0 else end
    line_prefix, line_suffix = text[start:offset], text[offset:end]
    above = text[:start].split("\n")[:-1]
    below = text[end + 1 :].split("\n")
    if below and not below[-1]:
        below.pop()
    if ahead:
        *passed, middle = (line_prefix + line_suffix + ahead).split("\n")
        above, sent_suffix = [*above, *passed], ""
    else:
        blank = not (line_prefix + line_suffix).strip()
        middle, sent_suffix = ("", "") if blank else (line_prefix, line_suffix)
        line = line_prefix + line_suffix
        indent = 0 if blank else len(line) - len(line.lstrip())
    return Context(
        prefix="\n".join(above[-N_PREFIX:]) + "\n",
        middle=middle,
        suffix=f"{sent_suffix}\n" + "\n".join(below[:N_SUFFIX]) + "\n",
        indent=indent,
        line_prefix=line_prefix,
        line_suffix=line_suffix,
        below=tuple(below),
    )


def infill(c: Context, *, t_max_predict_ms: int, seed: int) -> dict[str, Any]:
    """The request to ``/infill``; the seed is ours, as the recipe draws at temperature 1."""
    return {
        "id_slot": 0,
        "input_prefix": c.prefix,
        "input_suffix": c.suffix,
        "input_extra": [],
        "prompt": c.middle,
        "n_predict": N_PREDICT,
        "stop": [],
        "n_indent": c.indent,
        "top_k": 40,
        "top_p": 0.90,
        "samplers": ["top_k", "top_p", "infill"],
        "stream": False,
        "cache_prompt": True,
        "t_max_prompt_ms": 500,
        "t_max_predict_ms": t_max_predict_ms,
        "seed": seed,
    }


def plain(c: Context) -> dict[str, Any]:
    """Plain filling in the usual order, greedily, for ``/completion``; where to stop as the recipe says."""
    return {
        "prompt": f"<|fim_prefix|>{c.prefix}{c.middle}<|fim_suffix|>{c.suffix}<|fim_middle|>",
        "n_predict": N_PREDICT,
        "n_indent": c.indent,
        "temperature": 0.0,
        "stream": False,
        "cache_prompt": True,
    }


def shown(content: str, c: Context) -> tuple[int, str] | None:
    """What is offered of an answer, None where it only repeats what stands there already.

    Returns:
        How many characters left of the cursor it takes the place of (a blank line is written anew), and the text.
    """
    lines = content.split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return None
    blank = not (c.line_prefix + c.line_suffix).strip()
    if len(lines) > 1 and not lines[0].strip() and lines[1:] == list(c.below[: len(lines) - 1]):
        return None
    if len(lines) == 1 and lines[0] == c.line_suffix:
        return None
    if _repeats("" if blank else c.line_prefix, lines, list(c.below)):
        return None
    answer = "\n".join(lines)
    if not (answer + c.line_suffix).strip():
        return None
    return len(c.line_prefix) if blank else 0, answer


def _repeats(line_prefix: str, lines: list[str], below: list[str]) -> bool:
    """Whether an answer is what comes next anyway."""
    while len(below) > 1 and not below[0].strip():
        below = below[1:]
    if not below or line_prefix + lines[0] != below[0]:
        return False
    if len(lines) == 1:
        return True
    if len(lines) == 2:
        return len(below) > 1 and below[1].startswith(lines[1])
    return lines[1:] == below[1 : len(lines)]


class Cache:
    """Answers by the context they were given to."""

    def __init__(self) -> None:
        self._answers: dict[str, str] = {}

    def __contains__(self, c: Context) -> bool:
        return any(key in self._answers for key in c.keys)

    def insert(self, c: Context, content: str) -> None:
        """Keep an answer; the oldest goes."""
        for key in c.keys:
            self._answers.pop(key, None)
            self._answers[key] = content
        while len(self._answers) > MOST_CACHED:
            del self._answers[next(iter(self._answers))]

    def lookup(self, c: Context) -> str | None:
        """The answer to a context, or the longest rest of one that the user has typed through."""
        before = c.prefix + c.middle
        if (found := self._answers.get(c.key(before))) is not None:
            return found
        rests = (self._rest(c, before, n) for n in range(1, min(TYPED_THROUGH, len(before)) + 1))
        return max((rest for rest in rests if rest), key=len, default=None)

    def _rest(self, c: Context, before: str, n: int) -> str:
        answer = self._answers.get(c.key(before[:-n]), "")
        return answer[n:] if answer[:n] == before[-n:] else ""
