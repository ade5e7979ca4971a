"""Sampling on the small real model, in this process: what is chosen after a prompt, token by token and row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lsp_server.engine.native.context import NativeContext, Part
from lsp_server.engine.native.logprobs import TokenLogprob, logprobs
from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.native.sampler import NativeSampler
from lsp_server.engine.sampling import SAMPLERS, SamplingParams
from tests.support.loads import settings

pytestmark = pytest.mark.real_model

ROWS = 4
SETTINGS = settings(n_ctx=512, n_ubatch=128, n_seq_max=ROWS, use_extra_bufts=False)
PROMPT = "def add(a, b):\n    return"
HOLE = f"<|fim_prefix|>{PROMPT} <|fim_suffix|>\n\n\nprint(add(1, 2))\n<|fim_middle|>"
OVER = "<|im_start|>user\nSay yes.<|im_end|>\n<|im_start|>assistant\nYes."
INFILL = ("top_k", "top_p", "infill")


@pytest.fixture(scope="module")
def model(small_model: Path) -> Iterator[NativeModel]:
    model = NativeModel(small_model, SETTINGS)
    yield model
    model.close()


@pytest.fixture(scope="module")
def context(model: NativeModel) -> Iterator[NativeContext]:
    context = NativeContext(model, SETTINGS)
    yield context
    context.close()


Answer = Callable[..., list[int]]


@pytest.fixture
def answer(model: NativeModel, context: NativeContext) -> Answer:
    """Generates some tokens after a prompt, the first end among them the last; keeps what they were chosen from."""

    def generate(prompt: str = PROMPT, n: int = 8, told: list[TokenLogprob] | None = None, **params: Any) -> list[int]:
        sampler = NativeSampler(model, SamplingParams(**params))
        context.clear(0)
        given, position, said = model.tokenize(prompt, parse_special=True), 0, []
        try:
            while len(said) < n:
                (row,) = context.decode([Part(0, given, position, 1)])
                position += len(given)
                said.append(sampler.sample(context, row))
                if told is not None:
                    told += logprobs(model, context, row, said[-1], 5)
                if model.is_end(said[-1]):
                    break
                given = said[-1:]
        finally:
            sampler.close()
        return said

    return generate


def text(model: NativeModel, tokens: list[int]) -> str:
    return b"".join(map(model.piece, tokens)).decode()


def test_the_same_seed_gives_the_same_answer(answer: Answer) -> None:
    params: dict[str, Any] = {"temperature": 1.5, "top_p": 1.0, "min_p": 0.0}

    assert answer(**params, seed=1) == answer(**params, seed=1)
    assert answer(**params, seed=1) != answer(**params, seed=2)


def test_the_defaults_are_greedy(model: NativeModel, answer: Answer) -> None:
    assert text(model, answer(n=3)) == " a + b"
    assert answer() == answer(temperature=1.0, top_k=1) == answer(samplers=tuple(SAMPLERS)[:9], seed=3)


def test_every_sampler_at_once(answer: Answer) -> None:
    params: dict[str, Any] = {"dry_multiplier": 0.8, "repeat_penalty": 1.1, "xtc_probability": 0.5, "typical_p": 0.9}

    assert len(answer(temperature=0.7, samplers=tuple(SAMPLERS), top_n_sigma=2.0, ignore_eos=True, **params)) == 8


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_bias_forbids(model: NativeModel, answer: Answer, temperature: float) -> None:
    forbidden = ((" a", -math.inf), ("a", -math.inf), *((token, -math.inf) for token in model.tokenize(" (")))

    found = answer(logit_bias=forbidden, temperature=temperature, seed=1)

    assert not {*model.tokenize(" a"), *model.tokenize("a")} & {*found}


@pytest.mark.parametrize("params", [{}, {"temperature": 1.0, "seed": 1}, {"samplers": INFILL}, {"repeat_penalty": 1.1}])
def test_an_end_that_is_ignored_never_comes(model: NativeModel, answer: Answer, params: dict[str, Any]) -> None:
    assert any(map(model.is_end, answer(OVER, **params)))

    found = answer(OVER, n=24, ignore_eos=True, **params)

    assert len(found) == 24
    assert not any(map(model.is_end, found))


@pytest.mark.parametrize("params", [{}, {"temperature": 1.0, "seed": 1}])
def test_a_grammar_over_several_rows_of_one_step(
    model: NativeModel, context: NativeContext, params: dict[str, Any]
) -> None:
    prompt, draft = model.tokenize("The answer is: "), model.tokenize("yes, no, yes")[: ROWS - 1]
    sampler = NativeSampler(model, SamplingParams(grammar='root ::= "yes" (", yes")+', **params))
    context.clear(0)

    try:
        (row,) = context.decode([Part(0, [*prompt, *draft], 0, len(draft) + 1)])
        found = [sampler.sample(context, row + i) for i in range(len(draft) + 1)]
    finally:
        sampler.close()

    assert text(model, found).startswith("yes, y")
    assert ("yes" + ", yes" * ROWS).startswith(text(model, found))


def test_rows_of_one_step_are_those_of_as_many_steps(
    model: NativeModel, context: NativeContext, answer: Answer
) -> None:
    one_by_one = answer(n=ROWS)
    prompt = model.tokenize(PROMPT)
    sampler = NativeSampler(model, SamplingParams())
    context.clear(0)

    try:
        (row,) = context.decode([Part(0, [*prompt, *one_by_one[:-1]], 0, ROWS)])
        assert [sampler.sample(context, row + i) for i in range(ROWS)] == one_by_one
        assert sampler.sample(context) == one_by_one[-1]
    finally:
        sampler.close()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_infill_sampler_fills_a_hole_and_ends(model: NativeModel, answer: Answer, temperature: float) -> None:
    found = answer(HOLE, samplers=INFILL, top_p=0.9, temperature=temperature, seed=1)

    assert text(model, found).strip() == "a + b"
    assert model.is_end(found[-1])


def test_the_probabilities_add_up_and_greedy_takes_the_likeliest(model: NativeModel, answer: Answer) -> None:
    told: list[TokenLogprob] = []
    found = answer(told=told)

    assert [one.token for one in told] == found
    for one in told:
        assert one.top[0] == (one.token, model.piece(one.token), one.logprob)
        assert len(one.top) == 5
        assert 0 < sum(math.exp(p) for *_, p in one.top) <= 1
