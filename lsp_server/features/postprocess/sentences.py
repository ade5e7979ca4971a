"""The sentences of an answer that are worth reading."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SENTENCE = re.compile(r".*?(?:[.!?](?=\s)|$)\s*", re.DOTALL)
_NAMED = re.compile(r"`([A-Za-z_$][\w$]*(?:(?:\.|::|->)[\w$]+)*)(\(\))?`")
# Words alone may be meant in general; what is written like this is the name of something.
_A_NAME = re.compile(r"_|[a-z][A-Z]|\.|::|->")


def worth_reading(text: str, *, known: str, complete: bool, said: Sequence[str] = ()) -> str:
    """The sentences of a text without those that say nothing, or something that is not so.

    Gone are: what was said before, a last one that was cut off or only announces something, and those that name what
    does not exist: a small model makes names up.

    Args:
        known: all that the model was shown.
        complete: the text came to an end by itself.
        said: texts that stand before it.
    """
    words = set(re.findall(r"[\w$]+", known))
    there = {_plain(one) for before in said for one in _SENTENCE.findall(before)}
    kept: list[str] = []
    found = [one for one in _SENTENCE.findall(text) if one.strip()]
    for at, sentence in enumerate(found):
        is_last = at == len(found) - 1
        ends = sentence.rstrip()
        cut_off = ends[-1] not in ".!?" if not complete else at > 0 and ends[-1].isalnum()
        unfinished = is_last and (ends.endswith(":") or cut_off)
        if _plain(sentence) in there or unfinished or _made_up(sentence, words):
            continue
        there.add(_plain(sentence))
        kept.append(sentence)
    said_now = "".join(kept).rstrip()
    return f"{said_now}." if said_now and said_now[-1].isalnum() else said_now


def _plain(sentence: str) -> str:
    return "".join(re.findall(r"\w+", sentence.lower()))


def _made_up(sentence: str, words: set[str]) -> bool:
    """Whether a sentence has a name in backticks that stands nowhere."""
    return any(
        (call or _A_NAME.search(name)) and not set(re.findall(r"[\w$]+", name)) <= words
        for name, call in _NAMED.findall(sentence)
    )
