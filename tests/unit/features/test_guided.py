from __future__ import annotations

import pytest

from lsp_server.errors import BackendUnavailableError
from lsp_server.features.guided import Guide
from lsp_server.features.types import Tools
from lsp_server.inference.backend import ChatRequest, Message, Priority, Timings
from lsp_server.inference.scripted import ScriptedBackend
from tests.support.features import PROMPTS, limited, scripted, tools_of

QUESTION = (Message("user", "Write a poem."),)


def guide_over(backend: ScriptedBackend, priority: Priority = Priority.ACTION) -> Guide:
    return Guide(tools_of(backend=backend), QUESTION, phase="Writing", priority=priority)


def request(backend: ScriptedBackend, number: int) -> ChatRequest:
    seen = backend.seen[number]
    assert isinstance(seen, ChatRequest)
    return seen


async def test_each_continuation_begins_with_all_that_was_there() -> None:
    backend = scripted(" roses", " violets")
    guide = guide_over(backend)
    guide.write("Red:")
    assert await guide.fill(stop=("\n",), max_tokens=8) == " roses"
    guide.write("\nBlue:")
    assert await guide.fill(stop=("\n",), max_tokens=9) == " violets"
    assert guide.answer == "Red: roses\nBlue: violets"
    assert request(backend, 0).messages == (*QUESTION, Message("assistant", "Red:"))
    assert request(backend, 1).messages == (*QUESTION, Message("assistant", "Red: roses\nBlue:"))
    assert [request(backend, n).max_tokens for n in (0, 1)] == [8, 9]


async def test_without_words_of_ours_the_model_begins_the_answer() -> None:
    backend = scripted("roses")
    await guide_over(backend).fill(stop=(), max_tokens=8)
    assert request(backend, 0).messages == QUESTION


async def test_priority_and_stops_are_passed_on() -> None:
    backend = scripted("roses\nare red")
    guide = guide_over(backend, Priority.BACKGROUND)
    assert await guide.fill(stop=("\n", "```"), max_tokens=8) == "roses"
    assert request(backend, 0).stop == ("\n", "```")
    assert request(backend, 0).priority is Priority.BACKGROUND
    assert guide.complete


async def test_cut_off_for_length_is_not_complete_and_the_next_one_may_be() -> None:
    guide = guide_over(limited(2, "one two three", "four"))
    assert await guide.fill(stop=(), max_tokens=2) == "one two"
    assert not guide.complete
    await guide.fill(stop=(), max_tokens=2)
    assert guide.complete


async def test_enough_ends_it_there_and_it_did_not_end_by_itself() -> None:
    backend = scripted("one two three four")
    guide = guide_over(backend)
    assert await guide.fill(stop=(), max_tokens=9, enough=lambda text: "two" in text) == "one two"
    assert not guide.complete


async def test_costs_add_up_even_when_an_answer_is_ended_early() -> None:
    class Metered(ScriptedBackend):
        async def chat(self, request):  # type: ignore[no-untyped-def]
            number = 0
            async for chunk in super().chat(request):
                number += 1
                yield type(chunk)(
                    chunk.text, chunk.stop_reason, Timings(predicted_tokens=number, total_ms=10.0 * number)
                )

    guide = guide_over(Metered(chats=["a b c"]))
    await guide.fill(stop=(), max_tokens=9, enough=lambda text: "b" in text)
    assert guide.timings.predicted_tokens == 2
    await guide.fill(stop=(), max_tokens=9)
    assert guide.timings.predicted_tokens == 2 + 4
    assert guide.timings.total_ms == 20.0 + 40.0


async def test_every_piece_is_reported() -> None:
    reports: list[tuple[str, int]] = []
    tools = Tools(scripted("a b c", "d"), PROMPTS, report=lambda phase, count: reports.append((phase, count)))
    guide = Guide(tools, QUESTION, phase="Writing")
    await guide.fill(stop=(), max_tokens=9)
    await guide.fill(stop=(), max_tokens=9)
    assert reports == [("Writing", 1), ("Writing", 2), ("Writing", 3), ("Writing", 4)]


async def test_a_failing_backend_is_not_hidden() -> None:
    guide = guide_over(scripted(BackendUnavailableError("gone")))
    with pytest.raises(BackendUnavailableError, match="gone"):
        await guide.fill(stop=(), max_tokens=9)
