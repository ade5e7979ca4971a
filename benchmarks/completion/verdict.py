"""What became of an answer, and the rates of many."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.completion.answers import Answer
from benchmarks.completion.holes import Hole
from benchmarks.completion.making import Bench
from benchmarks.completion.scoring import identifiers, inserted, is_exact, parses, similarity


@dataclass(frozen=True, slots=True)
class Verdict:
    """A hole, an answer, and what it was worth.

    Attributes:
        passes: the tests pass; None where no tests are run.
        first_name: it begins with the identifier that the truth begins with.
        same_names: it has the identifiers of the truth, in their order.
        broken: something was offered, and the file with it is no Python.
        parsed_before: the file with the hole is Python.
    """

    hole: Hole
    text: str
    ms: float
    passes: bool | None
    exact: bool
    first_name: bool
    same_names: bool
    similarity: float
    broken: bool
    parsed_before: bool

    @property
    def offered(self) -> bool:
        """Whether there was anything to accept."""
        return bool(self.text)


def verdict(bench: Bench, hole: Hole, answer: Answer) -> Verdict:
    """Judge an answer by all but its time."""
    whole, left = bench.text(hole), bench.left(hole)
    filled = answer.applied(left)
    exact = is_exact(filled, whole)
    text = inserted(filled, whole[: hole.start], whole[hole.end :]) if answer.text else ""
    written, wanted = identifiers(text), identifiers(hole.truth)
    return Verdict(
        hole=hole,
        text=text,
        ms=answer.ms,
        passes=(exact or bench.passes(hole, filled)) if hole.tests else None,
        exact=exact,
        first_name=written[:1] == wanted[:1],
        same_names=written == wanted,
        similarity=similarity(text, hole.truth),
        broken=bool(answer.text) and not parses(filled),
        parsed_before=parses(left),
    )


def column(verdicts: Sequence[Verdict], of: Callable[[Verdict], float | bool | None]) -> list[float]:
    """A figure of each, as a number."""
    return [float(of(one) or 0.0) for one in verdicts]


def mean(verdicts: Sequence[Verdict], of: Callable[[Verdict], float]) -> float:
    """Of nothing it is not a number."""
    return statistics.fmean(of(one) for one in verdicts) if verdicts else float("nan")
