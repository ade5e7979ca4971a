from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from lsp_server.errors import (
    BackendGoneError,
    BackendKeyError,
    BackendRejectedError,
    BackendStuckError,
    BackendUnavailableError,
    EngineStartError,
    ModelNotInstalledError,
)
from lsp_server.inference import roles
from lsp_server.inference.backend import ChatRequest, Chunk, InfillRequest, Message, collect
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.remote_spec import RemoteSpec
from lsp_server.inference.roles import RoleBackend
from lsp_server.inference.scripted import Reply, ScriptedBackend
from tests.support.engine import PATIENCE_S
from tests.support.time import Time, until

HOLE = InfillRequest("before", "after", 16)
SPEC = EngineSpec("small", Path("small.gguf"), 512, 0, 1, 0, 30)
GONE = BackendUnavailableError("The engine's answer broke off.")
AWAY = BackendGoneError("http://gpu.example cannot be reached.")


class Engine(ScriptedBackend):
    """An engine somebody attached to; ``breaks_after`` pieces its answers break off."""

    def __init__(self, *infills: Reply, breaks_after: int | None = None) -> None:
        super().__init__(infills=infills, chats=infills)
        self.closed = False
        self._breaks_after = breaks_after

    async def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        number = 0
        async for chunk in super().infill(request):
            if number == self._breaks_after:
                raise GONE
            number += 1
            yield chunk

    async def aclose(self) -> None:
        self.closed = True


class Launcher:
    """Stands in for ``attach``: hands out engines in order, or raises."""

    def __init__(self) -> None:
        self.outcomes: list[Engine | Exception] = []
        self.calls = 0
        self.called = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def __call__(self, spec: EngineSpec, on_progress: Callable[[float], None]) -> Any:
        assert spec is SPEC
        self.calls += 1
        self.called.set()
        on_progress(0.5)
        if self.gate:
            await self.gate.wait()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return cast(Any, outcome)


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> Launcher:
    launcher = Launcher()
    monkeypatch.setattr(roles, "attach", launcher)
    return launcher


@pytest.fixture
def loading() -> list[float]:
    return []


@pytest.fixture
def role(launcher: Launcher, loading: list[float]) -> RoleBackend:
    return RoleBackend(lambda: SPEC, loading.append)


async def test_the_first_request_attaches_and_the_next_uses_that(
    role: RoleBackend, launcher: Launcher, loading: list[float]
) -> None:
    launcher.outcomes = [Engine("one", "two")]
    assert not role.ready

    texts = [(await collect(role.infill(HOLE))).text for _ in range(2)]

    assert texts == ["one", "two"]
    assert role.ready
    assert (launcher.calls, loading) == (1, [0.5])


async def test_chat_goes_the_same_way(role: RoleBackend, launcher: Launcher) -> None:
    launcher.outcomes = [Engine("Hello")]

    assert (await collect(role.chat(ChatRequest((Message("user", "Hi"),), 16)))).text == "Hello"


async def test_requests_that_come_together_attach_once(role: RoleBackend, launcher: Launcher) -> None:
    launcher.outcomes, launcher.gate = [Engine("one")], asyncio.Event()
    answers = [asyncio.create_task(collect(role.infill(HOLE))) for _ in range(3)]
    await asyncio.wait(answers, timeout=0)

    launcher.gate.set()

    assert [answer.text for answer in await asyncio.gather(*answers)] == ["one"] * 3
    assert launcher.calls == 1


async def test_a_request_that_gives_up_waiting_does_not_end_the_attempt(role: RoleBackend, launcher: Launcher) -> None:
    launcher.outcomes, launcher.gate = [Engine("one")], asyncio.Event()
    impatient = asyncio.create_task(collect(role.infill(HOLE)))
    patient = asyncio.create_task(collect(role.infill(HOLE)))
    await launcher.called.wait()
    impatient.cancel()
    await asyncio.wait({impatient})

    launcher.gate.set()

    assert impatient.cancelled()
    assert (await patient).text == "one"
    assert launcher.calls == 1


async def test_an_engine_that_died_meanwhile_is_replaced_and_the_request_repeated(
    role: RoleBackend, launcher: Launcher
) -> None:
    dead, fresh = Engine("one", GONE), Engine("two")
    launcher.outcomes = [dead, fresh]
    await collect(role.infill(HOLE))

    assert (await collect(role.infill(HOLE))).text == "two"
    assert dead.closed
    assert not fresh.closed


async def test_a_request_is_repeated_only_once(role: RoleBackend, launcher: Launcher) -> None:
    launcher.outcomes = [Engine(GONE), Engine(GONE), Engine("three")]

    with pytest.raises(BackendUnavailableError):
        await collect(role.infill(HOLE))
    assert not role.ready
    assert (await collect(role.infill(HOLE))).text == "three"


async def test_one_that_had_to_be_ended_is_told_of_and_the_request_repeated(launcher: Launcher) -> None:
    launcher.outcomes = [Engine(BackendStuckError("It did nothing any more.", hint="The next one.")), Engine("two")]
    told: list[str] = []
    role = RoleBackend(lambda: SPEC, lambda _fraction: None, on_ended=told.append)

    assert (await collect(role.infill(HOLE))).text == "two"
    assert told == ["It did nothing any more."]


async def test_what_the_model_can_do_is_known_from_when_it_is_attached(role: RoleBackend, launcher: Launcher) -> None:
    engine = Engine()
    engine.fills_holes = False
    launcher.outcomes = [engine]
    assert role.fills_holes

    await role.attach()

    assert not role.fills_holes


async def test_an_answer_that_has_begun_is_not_repeated(role: RoleBackend, launcher: Launcher) -> None:
    launcher.outcomes = [Engine("one two three", breaks_after=1), Engine("four")]
    answer = role.infill(HOLE)

    assert (await anext(answer)).text == "one"
    with pytest.raises(BackendUnavailableError):
        await anext(answer)

    assert (await collect(role.infill(HOLE))).text == "four"


async def test_a_refused_request_leaves_the_engine_attached(role: RoleBackend, launcher: Launcher) -> None:
    launcher.outcomes = [Engine(BackendRejectedError("stop must be a text."), "two")]

    with pytest.raises(BackendRejectedError):
        await collect(role.infill(HOLE))

    assert (await collect(role.infill(HOLE))).text == "two"
    assert launcher.calls == 1


async def test_an_engine_that_does_not_start_is_tried_again_by_the_next_request(
    role: RoleBackend, launcher: Launcher
) -> None:
    launcher.outcomes = [EngineStartError("no"), Engine("two")]

    with pytest.raises(EngineStartError):
        await role.attach()
    await role.attach()

    assert role.ready
    assert (await collect(role.infill(HOLE))).text == "two"


async def test_closing_lets_go_of_the_engine(role: RoleBackend, launcher: Launcher) -> None:
    engine = Engine("one")
    launcher.outcomes = [engine]
    await role.attach()

    await role.aclose()

    assert engine.closed
    assert not role.ready


async def test_closing_ends_a_wait_for_an_engine(role: RoleBackend, launcher: Launcher) -> None:
    launcher.gate = asyncio.Event()
    waiting = asyncio.create_task(role.attach())
    await launcher.called.wait()

    await role.aclose()
    await asyncio.wait({waiting})

    assert waiting.cancelled()


class TestStandIns:
    """A server elsewhere that fails, and the engine of this machine."""

    @pytest.fixture
    def time(self) -> Time:
        return Time()

    @pytest.fixture
    def servers(self, monkeypatch: pytest.MonkeyPatch) -> list[Engine | Exception]:
        """What comes of connecting to the server, in order."""
        outcomes: list[Engine | Exception] = []

        async def connect(_spec: RemoteSpec) -> Any:
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(roles, "connect", connect)
        return outcomes

    @pytest.fixture
    def role(self, launcher: Launcher, time: Time) -> RoleBackend:
        wanted = RemoteSpec("completion", "http://gpu.example")
        return RoleBackend(
            lambda: wanted, lambda _fraction: None, stand_ins=[lambda: SPEC], clock=time.clock, sleep=time.sleep
        )

    async def test_the_engine_is_not_started_while_a_server_answers(
        self, role: RoleBackend, servers: list[Engine | Exception], launcher: Launcher
    ) -> None:
        servers[:] = [Engine("elsewhere")]
        assert (await collect(role.infill(HOLE))).text == "elsewhere"
        assert (launcher.calls, role.trouble) == (0, "")

    async def test_it_answers_while_none_does_and_is_let_go_of_then(
        self, role: RoleBackend, servers: list[Engine | Exception], launcher: Launcher, time: Time
    ) -> None:
        engine = Engine("here")
        servers[:] = [AWAY, Engine("elsewhere")]
        launcher.outcomes = [engine]

        assert (await collect(role.infill(HOLE))).text == "here"
        assert role.trouble == AWAY.message

        await asyncio.wait_for(time.somebody_sleeps(), PATIENCE_S)
        time.pass_by(5)
        await until(lambda: not role.trouble)
        assert (await collect(role.infill(HOLE))).text == "elsewhere"
        assert engine.closed
        await role.aclose()

    async def test_a_server_whose_answers_break_off_is_left_after_the_second(
        self, role: RoleBackend, servers: list[Engine | Exception], launcher: Launcher
    ) -> None:
        servers[:] = [Engine("one two three", "four five six", breaks_after=1) for _ in range(2)]
        launcher.outcomes = [Engine("here")]
        for _ in range(2):
            with pytest.raises(BackendUnavailableError):
                await collect(role.infill(HOLE))
        assert (await collect(role.infill(HOLE))).text == "here"
        await role.aclose()

    async def test_an_answer_that_is_left_early_is_a_good_one(
        self, role: RoleBackend, servers: list[Engine | Exception], launcher: Launcher
    ) -> None:
        servers[:] = [Engine(GONE), Engine("one two", GONE), Engine("three")]
        answer = role.infill(HOLE)
        assert (await anext(answer)).text
        await answer.aclose()  # type: ignore[attr-defined]
        assert (await collect(role.infill(HOLE))).text == "three"
        assert launcher.calls == 0

    async def test_a_hole_is_not_passed_on_to_one_who_fills_none(
        self, role: RoleBackend, servers: list[Engine | Exception], launcher: Launcher
    ) -> None:
        talker = Engine("here")
        talker.fills_holes = False
        servers[:] = [Engine(AWAY)]
        launcher.outcomes = [talker]

        with pytest.raises(BackendUnavailableError, match=r"gpu\.example"):
            await collect(role.infill(HOLE))
        assert not role.fills_holes, "the next request is made in its way"
        assert (await collect(role.chat(ChatRequest((Message("user", "Hi"),), 16)))).text == "here"
        await role.aclose()

    async def test_that_no_model_is_here_is_not_what_is_wrong(
        self, role: RoleBackend, servers: list[Engine | Exception], launcher: Launcher
    ) -> None:
        servers[:] = [AWAY]
        launcher.outcomes = [ModelNotInstalledError("The model small is not installed.")]
        with pytest.raises(BackendGoneError) as failed:
            await role.attach()
        assert failed.value is AWAY

    async def test_an_engine_that_fails_too_is_told(
        self, role: RoleBackend, servers: list[Engine | Exception], launcher: Launcher
    ) -> None:
        servers[:] = [AWAY]
        launcher.outcomes = [EngineStartError("It does not fit.")]
        with pytest.raises(BackendUnavailableError, match=r"cannot be reached\. It does not fit\."):
            await role.attach()

    async def test_requests_that_fail_together_count_once(
        self, role: RoleBackend, servers: list[Engine | Exception], launcher: Launcher
    ) -> None:
        servers[:] = [Engine(GONE, GONE, GONE), Engine("one", "two", "three")]
        answers = await asyncio.gather(*(collect(role.infill(HOLE)) for _ in range(3)))
        assert {answer.text for answer in answers} == {"one", "two", "three"}
        assert (launcher.calls, role.trouble) == (0, ""), "an old connection is no reason to leave a server"


async def test_a_key_that_has_changed_is_fetched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Engine(BackendKeyError("http://gpu.example refuses the key (401).")), Engine("ok")
    keys, asked = ["old", "new"], []

    async def connect(spec: RemoteSpec) -> Any:
        asked.append(spec.key)
        return old if spec.key == "old" else new

    monkeypatch.setattr(roles, "connect", connect)
    spec = lambda: RemoteSpec("assistant", "http://gpu.example", key=keys.pop(0))  # noqa: E731
    backend = RoleBackend(spec, lambda _fraction: None)
    assert (await collect(backend.chat(ChatRequest((Message("user", "Hi"),), 4)))).text == "ok"
    assert asked == ["old", "new"]
    assert old.closed
    assert backend.elsewhere == ""


async def _nobody() -> Engine:
    raise AssertionError("nobody asks on")


async def test_who_leaves_waits_for_those_who_have_asked(role: RoleBackend, launcher: Launcher) -> None:
    launcher.outcomes = [engine := Engine("one two three")]
    answer = role.infill(HOLE)
    begun = await anext(answer)

    leaving = asyncio.create_task(role.leave(_nobody))
    await asyncio.wait({leaving}, timeout=0)
    assert not engine.closed
    assert not role.ready

    assert begun.text + "".join([chunk.text async for chunk in answer]) == "one two three"
    await leaving
    assert engine.closed


async def test_who_leaves_and_is_asked_nothing_leaves_at_once(role: RoleBackend, launcher: Launcher) -> None:
    launcher.outcomes = [engine := Engine("one")]
    await role.attach()
    await role.leave(_nobody)
    assert engine.closed


async def test_who_asks_on_when_it_has_left_is_answered_by_its_successor(role: RoleBackend, launcher: Launcher) -> None:
    """An action asks several times, and has taken the backend before the settings changed."""
    launcher.outcomes, successor = [Engine("one")], Engine("two")
    successor.fills_holes = False

    async def successors() -> Engine:
        return successor

    assert (await collect(role.infill(HOLE))).text == "one"
    await role.leave(successors)
    assert (await collect(role.chat(ChatRequest((Message("user", "Hi"),), 16)))).text == "two"
    assert launcher.calls == 1, "an engine that was let go is not started again"
    assert not successor.closed


async def test_what_fails_while_it_leaves_is_asked_of_its_successor(role: RoleBackend, launcher: Launcher) -> None:
    engine, successor = Engine("one", breaks_after=0), Engine("two")
    asked, breaks = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        asked.set()
        await breaks.wait()

    async def successors() -> Engine:
        return successor

    engine.pause = pause  # type: ignore[assignment]
    launcher.outcomes = [engine]
    answer = asyncio.create_task(collect(role.infill(HOLE)))
    await asked.wait()
    leaving = asyncio.create_task(role.leave(successors))
    await asyncio.wait({leaving}, timeout=0)
    breaks.set()

    assert (await answer).text == "two"
    await leaving
    assert engine.closed
    assert launcher.calls == 1
