from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from lsp_server.errors import BackendRejectedError, BackendUnavailableError
from lsp_server.inference.backend import Backend, ChatRequest, InfillRequest, Message, StopReason, collect
from lsp_server.inference.scripted import ScriptedBackend

HOLE = InfillRequest("before", "after", 16)
QUESTION = ChatRequest((Message("user", "Hi"),), 16)


async def test_replies_come_in_order_and_the_last_is_repeated() -> None:
    backend: Backend = ScriptedBackend(infills=["one", "two"], chats=["three"])

    texts = [(await collect(backend.infill(HOLE))).text for _ in range(3)]

    assert texts == ["one", "two", "two"]
    assert (await collect(backend.chat(QUESTION))).text == "three"


async def test_no_script_is_an_empty_answer() -> None:
    answer = await collect(ScriptedBackend().infill(HOLE))

    assert (answer.text, answer.stop_reason) == ("", StopReason.EOS)


@pytest.mark.parametrize("text", ["def f():\n    return 1\n", "  leading and trailing  ", "one", " \n", "a\t\tb"])
async def test_pieces_make_up_the_reply_exactly(text: str) -> None:
    pieces = [chunk.text async for chunk in ScriptedBackend(chats=[text]).chat(QUESTION)]

    assert "".join(pieces) == text
    assert len(pieces) > 1


async def test_stop_strings_end_a_reply_as_they_would_a_models() -> None:
    request = InfillRequest("", "", 16, stop=("\n\n", "```"))

    answer = await collect(ScriptedBackend(infills=["a ``` b\n\nc"]).infill(request))

    assert (answer.text, answer.stop_reason) == ("a ", StopReason.STOP)


async def test_an_exception_in_the_script_is_raised_and_the_script_goes_on() -> None:
    backend = ScriptedBackend(infills=[BackendUnavailableError("gone"), "back"])

    with pytest.raises(BackendUnavailableError, match="gone"):
        await collect(backend.infill(HOLE))
    assert (await collect(backend.infill(HOLE))).text == "back"


async def test_a_model_that_fills_no_holes_says_no() -> None:
    backend = ScriptedBackend(chats=["one"], fills_holes=False)

    with pytest.raises(BackendRejectedError):
        await collect(backend.infill(HOLE))
    assert (await collect(backend.chat(QUESTION))).text == "one"


async def test_every_request_is_seen() -> None:
    backend = ScriptedBackend(infills=["a"], chats=["b"])

    await collect(backend.infill(HOLE))
    await collect(backend.chat(QUESTION))

    assert backend.seen == [HOLE, QUESTION]


async def test_an_answer_can_be_held_back() -> None:
    gate = asyncio.Event()

    def pause() -> Awaitable[object]:
        return gate.wait()

    backend = ScriptedBackend(chats=["one two"], pause=pause)
    answer = asyncio.create_task(collect(backend.chat(QUESTION)))
    await asyncio.wait({answer}, timeout=0)
    assert not answer.done()

    gate.set()

    assert (await answer).text == "one two"
