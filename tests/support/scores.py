"""A model that knows one text by heart and finds everything else unlikely: scores without a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lsp_server.inference.backend import ScoredToken, ScoreRequest

_TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")
_SEEN = 2


def expecting(known: str) -> Callable[[ScoreRequest], Sequence[ScoredToken]]:
    """Tells of each token whether it follows on the two before it as in ``known``, and what does.

    A token is a word or a mark with the blanks before it. What is expected is a thousand times as likely as others.
    """
    words = _TOKEN.findall(known)
    following: dict[tuple[str, ...], list[str]] = {}
    for at in range(len(words)):
        before = tuple(word.strip() for word in words[max(at - _SEEN, 0) : at])
        following.setdefault(before, []).append(words[at])

    def score(request: ScoreRequest) -> list[ScoredToken]:
        before = [word.strip() for word in _TOKEN.findall(request.context)]
        scored = []
        for word in _TOKEN.findall(request.text):
            expected = following.get(tuple(before[-_SEEN:]), [])
            likely = not expected or word.strip() in {one.strip() for one in expected}
            alternatives = [(one, -0.1) for one in dict.fromkeys(expected)][: request.n_alternatives]
            scored.append(ScoredToken(word, -0.1 if likely else -7.0, tuple(alternatives)))
            before.append(word.strip())
        return scored

    return score
