"""Holes that a model fills in conversation, as one without fill-in-the-middle tokens has to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from lsp_server.errors import BackendRejectedError
from lsp_server.features.postprocess import chat_fill
from lsp_server.inference.backend import ChatRequest, InfillRequest, Priority, collect
from lsp_server.inference.http import HttpBackend
from lsp_server.inference.launcher import attach
from lsp_server.prompting.catalog import PromptCatalog, shipped_directory
from tests.support.cursor import cursor
from tests.support.engine import RunningEngine, engine_spec, launch, shut_down
from tests.support.tiny import write_tiny

SHOP = '''"""Arithmetic for the shop."""


def subtract(a, b):
    """Return the difference of two numbers."""
    return a - b


def add(a, b):
    """Return the sum of two numbers."""
<|>


def multiply(a, b):
    """Return the product of two numbers."""
    return a * b
'''


@pytest.fixture(scope="module")
def chat_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    """An engine whose model has no fill-in-the-middle tokens, and random weights."""
    running = asyncio.run(launch(engine_spec(write_tiny("gemma3", tmp_path_factory.mktemp("gemma3")))))
    yield running
    asyncio.run(shut_down(running))


@pytest.fixture
async def backend(engine: RunningEngine) -> AsyncIterator[HttpBackend]:
    backend = await attach(engine.spec)
    yield backend
    await backend.aclose()


async def fill(backend: HttpBackend, marked: str) -> tuple[str, int]:
    """(the line's rest, evaluated tokens of the prompt)."""
    text, offset = cursor(marked)
    prefix, suffix = text[:offset], text[offset:]
    line_prefix, line_suffix = prefix.split("\n")[-1], suffix.split("\n")[0]
    rendered = PromptCatalog(shipped_directory()).render(
        "fill_hole", "python", language="Python", fence="python", suffix=suffix, related=""
    )
    request = ChatRequest(
        chat_fill.messages(rendered, "python", prefix),
        max_tokens=24,
        stop=("\n",),
        grammar=chat_fill.grammar(line_prefix),
        priority=Priority.INLINE,
    )
    answer = await collect(backend.chat(request))
    evaluated = answer.timings.prompt_tokens - answer.timings.reused_tokens
    return chat_fill.strip(answer.text, line_prefix, line_suffix), evaluated


@pytest.mark.real_model
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("    <|>", "return a + b"),
        ("    ret<|>", "urn a + b"),
        ("    return <|>", "a + b"),
        ("    return (a<|>)", " + b"),
    ],
)
async def test_a_hole_is_filled(backend: HttpBackend, line: str, expected: str) -> None:
    filled, _ = await fill(backend, SHOP.replace("<|>", line))
    assert filled == expected


@pytest.mark.real_model
async def test_typing_on_costs_a_few_tokens(backend: HttpBackend) -> None:
    costs = [(await fill(backend, SHOP.replace("<|>", line)))[1] for line in ("    return a<|>", "    return a +<|>")]
    assert costs[1] <= 4


async def test_a_model_that_can_only_talk_says_so(chat_only: RunningEngine) -> None:
    backend = await attach(chat_only.spec)
    try:
        assert not backend.fills_holes
        with pytest.raises(BackendRejectedError, match="not trained to fill holes"):
            await collect(backend.infill(InfillRequest("a", "b", 4)))
        text, _ = await fill(backend, SHOP.replace("<|>", "    ret<|>"))
        assert text, "random, but it begins with the begun word"
    finally:
        await backend.aclose()


@pytest.mark.real_model
async def test_a_model_that_fills_holes_says_so(backend: HttpBackend) -> None:
    assert backend.fills_holes
