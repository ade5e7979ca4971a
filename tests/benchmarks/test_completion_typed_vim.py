from __future__ import annotations

from typing import Any, cast

from benchmarks.completion.llama_vim import T_FIRST_MS, T_MOST_MS
from benchmarks.completion.typed_vim import VimTyping
from benchmarks.engine.wire import Address

PATIENCE_S = 30.0


class Script:
    """A server that goes on with a text that it knows."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.bodies: list[dict[str, Any]] = []

    def post(self, _path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.bodies.append(body)
        written = (body["input_prefix"] + body["prompt"]).lstrip("\n")
        return {"content": self.text.removeprefix(written) if self.text.startswith(written) else ""}


def typing_with(server: Script) -> VimTyping:
    return VimTyping(cast(Address, server), "", 0, seed=1)


async def test_a_suggestion_is_shown_and_what_may_follow_it_asked_ahead() -> None:
    server = Script("a = compute(1)")
    typing = typing_with(server)

    typing.type("a")
    waited = await typing.answered(PATIENCE_S)
    await typing.stop()

    assert waited is not None
    assert [body["t_max_predict_ms"] for body in server.bodies] == [T_FIRST_MS, T_MOST_MS]
    assert server.bodies[1]["prompt"] == "a = compute(1)"


async def test_what_was_typed_through_is_shown_at_once() -> None:
    server = Script("a = compute(1)")
    typing = typing_with(server)
    typing.type("a")
    await typing.answered(PATIENCE_S)
    await typing.stop()

    # No time is given: neither a request nor a timer could have had its turn.
    typing.type(" ")
    shown = typing.shown

    await typing.stop()
    assert shown
