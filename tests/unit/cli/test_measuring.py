"""What is asked of a model when it is measured, and what is made of what it answers."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from lsp_server.cli import measuring
from lsp_server.inference.backend import Chunk, InfillRequest, StopReason, Timings
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.prompting.catalog import prompts_of
from lsp_server.testing.small_holes import small_holes

LATER = float("inf")


class Model(ScriptedBackend):
    """Fills each hole as `fill` says, at a cost that grows with the prompt."""

    def fill(self, request: InfillRequest) -> str:
        return "x"

    async def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        self.seen.append(request)
        read = len(request.prefix) + len(request.suffix)
        reused = read - 2 if request.document else 0
        yield Chunk(self.fill(request), StopReason.EOS, Timings(read, reused, 5, 30.0, 99.0, 25.0, (read - reused) / 2))

    async def go_on(
        self, text: str, *, max_tokens: int, stop: Sequence[str] = (), temperature: float = 0.0, seed: int | None = None
    ) -> AsyncIterator[Chunk]:
        yield Chunk("x", StopReason.LENGTH, Timings(100, 0, max_tokens, 50.0, 99.0, 10.0, 200.0))


class Solver(Model):
    """Knows what was taken out of the small holes, of every second one."""

    def fill(self, request: InfillRequest) -> str:
        (hole,) = [hole for hole in small_holes() if hole.before == request.prefix]
        return hole.truth if small_holes().index(hole) % 2 == 0 else "nonsense"


def steps() -> tuple[list[tuple[int, int]], measuring.OnStep]:
    told: list[tuple[int, int]] = []
    return told, lambda done, total: told.append((done, total))


async def test_speed_is_of_prompts_that_are_new() -> None:
    model = Model()
    told, on_step = steps()
    found = await measuring.speed(model, LATER, on_step)

    assert found is not None
    assert (found.prefill, found.decode, found.ttft_ms) == (pytest.approx(2000), 25.0, 30.0)
    prompts = [request.prefix for request in model.seen if isinstance(request, InfillRequest)]
    assert len(prompts) == 3
    assert len({prompt.splitlines()[0] for prompt in prompts}) == 3
    assert told == [(0, 3), (1, 3), (2, 3)]


async def test_a_model_that_fills_no_holes_goes_on_with_texts() -> None:
    found = await measuring.speed(Model(fills_holes=False), LATER, lambda *_: None)
    assert found == measuring.Speed(500.0, 10.0, 50.0, 100)


async def test_keystrokes_are_those_of_a_person_who_types_statements() -> None:
    model = Model()
    found = await measuring.keystrokes(model, prompts_of(), LATER, lambda *_: None)

    assert found is not None
    assert (found.tokens_p50, found.tokens_p95) == (2, 2)
    requests = [request for request in model.seen if isinstance(request, InfillRequest)]
    # Before the first letter of each statement is asked as well, which does not count.
    assert found.count == len(requests) - 2
    assert {request.document for request in requests} == {"bench"}
    typed = [len(request.prefix) for request in requests]
    assert sum(b == a + 1 for a, b in itertools.pairwise(typed)) >= found.count - 2


async def test_holes_are_filled_and_their_tests_run() -> None:
    told, on_step = steps()
    found = await measuring.filled(Solver(), prompts_of(), LATER, on_step)
    assert (found.passed, found.count) == (10, 20)
    assert told[-1] == (19, 20)
    assert found.rate.value == 0.5


async def test_when_the_time_is_over_what_was_measured_counts() -> None:
    over = time.monotonic() - 1
    assert (await measuring.filled(Solver(), prompts_of(), over, lambda *_: None)).count == 1
    assert await measuring.speed(Model(), over, lambda *_: None) is not None
    typed = await measuring.keystrokes(Model(), prompts_of(), over, lambda *_: None)
    assert typed is not None
    assert typed.count == 2


async def test_a_model_that_says_nothing_of_its_speed_has_none() -> None:
    class Silent(Model):
        async def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
            yield Chunk("x", StopReason.EOS)

    assert await measuring.speed(Silent(), LATER, lambda *_: None) is None
