"""Evaluating a model on problems with tests: it answers, the programs are run confined, rates are told."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from lsp_server.inference.backend import Answer, ChatRequest, Chunk, Message, collect
from lsp_server.testing import confined
from lsp_server.testing.problems import FENCE, STOPS, Problem
from lsp_server.testing.rates import Interval, pass_at
from lsp_server.testing.sample_log import Conditions, Sample, SampleLog

# As EvalPlus asks it (Liu et al. 2023, arXiv:2305.01210): the answer is begun, so that it is code from the start.
_TASK = "Please provide a self-contained Python script that solves the following problem in a markdown code block:"
_BEGUN = (
    "Below is a Python script with a self-contained function that solves the problem and passes corresponding tests:"
)
# Of pass@k, those that people compare.
_KS = (1, 5, 10, 100)


class Writer(Protocol):
    """A model that answers conversations and goes on with texts."""

    def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        ...

    def go_on(
        self, text: str, *, max_tokens: int, stop: Sequence[str] = (), temperature: float = 0.0, seed: int | None = None
    ) -> AsyncIterator[Chunk]:
        """Write on behind a text."""
        ...


@dataclass(frozen=True, slots=True)
class Rates:
    """What the samples so far say.

    Attributes:
        problems: that have as many samples as the others.
        pass_at: by k; as a rate over problems, with the interval in which it lies with 95 % confidence.
        failures: how many samples did not pass, by the kind of reason.
    """

    problems: int
    samples: int
    pass_at: Mapping[int, Interval]
    failures: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        rates = {f"pass@{k}": {"value": i.value, "low": i.low, "high": i.high} for k, i in self.pass_at.items()}
        return {"problems": self.problems, "samples": self.samples, **rates, "failures": dict(self.failures)}


def missing(problems: Sequence[Problem], n_samples: int, log: SampleLog) -> list[tuple[Problem, int]]:
    """What is still to be done: all problems once before any of them twice."""
    wanted = ((problem, number) for number in range(n_samples) for problem in problems)
    return [(problem, number) for problem, number in wanted if (problem.task_id, number) not in log.done]


async def evaluate(
    writer: Writer, work: Sequence[tuple[Problem, int]], conditions: Conditions, log: SampleLog
) -> AsyncIterator[Sample]:
    """Have the work done and kept, one sample after the other.

    Raises:
        RefusedError: nothing may be run here, or the results cannot be written.
        BackendError: the model could not be asked.
    """
    await confined.check_guard()
    for problem, number in work:
        began = time.monotonic()
        answer = await _answer(writer, problem, conditions, number)
        seconds = time.monotonic() - began
        program = problem.program(answer.text, conditions.mode)
        outcome = await confined.run(program, timeout_s=conditions.timeout_s)
        sample = Sample(
            problem.task_id,
            number,
            answer.text,
            outcome.passed,
            outcome.reason or "passed",
            answer.timings.predicted_tokens,
            round(seconds, 3),
        )
        log.add(sample)
        yield sample


def rates(problems: Sequence[Problem], n_samples: int, log: SampleLog) -> Rates:
    """What the samples of some problems say, of those that have all of theirs."""
    counts, failures, n = [], Counter[str](), 0
    for problem in problems:
        samples = [log.done.get((problem.task_id, number)) for number in range(n_samples)]
        there = [sample for sample in samples if sample is not None]
        n += len(there)
        failures.update(_kind(sample.result) for sample in there if not sample.passed)
        if len(there) == n_samples:
            counts.append((n_samples, sum(sample.passed for sample in there)))
    ks = sorted({k for k in _KS if k <= n_samples} | {n_samples})
    return Rates(len(counts), n, {k: pass_at(k, counts) for k in ks}, dict(failures.most_common()))


def _kind(reason: str) -> str:
    """The name of an exception without what it says."""
    return reason.partition(":")[0][:40]


async def _answer(writer: Writer, problem: Problem, conditions: Conditions, number: int) -> Answer:
    # Without chance a seed changes nothing; with it, each sample has its own, and each run the same ones.
    common: dict[str, Any] = {
        "max_tokens": conditions.max_tokens,
        "temperature": conditions.temperature,
        "seed": number,
    }
    if conditions.mode == "chat":
        messages = (
            Message("user", f"{_TASK}\n```python\n{problem.prompt.strip()}\n```"),
            Message("assistant", f"{_BEGUN}\n```python\n"),
        )
        chunks = writer.chat(ChatRequest(messages, stop=(FENCE,), **common))
    else:
        chunks = writer.go_on(problem.prompt, stop=STOPS, **common)
    async with aclosing(chunks):  # type: ignore[type-var]
        return await collect(chunks)
