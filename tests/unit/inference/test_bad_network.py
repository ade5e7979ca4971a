"""Our client through networks that fail, on real sockets; a second server stands by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from lsp_server.errors import BackendUnavailableError
from lsp_server.inference import events, probing, remote
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, collect
from lsp_server.inference.remote_spec import RemoteSpec
from lsp_server.inference.roles import RoleBackend
from tests.support.bad_network import Network, bad_network
from tests.support.engine import PATIENCE_S
from tests.support.small_server import SmallServer, small_server
from tests.support.time import Time, until

HOLE = InfillRequest("x = (", ")", 16)
TALK = ChatRequest((Message("user", "Hi"),), 16)


@dataclass
class World:
    """Server a behind a network that may fail, and server b behind none; ``changes`` is what a user is shown."""

    a: SmallServer
    b: SmallServer
    network: Network
    time: Time
    backend: RoleBackend
    changes: list[str]

    async def ask(self) -> str:
        return (await asyncio.wait_for(collect(self.backend.infill(HOLE)), PATIENCE_S)).text

    @property
    def answers(self) -> str:
        return "a" if self.backend.elsewhere.endswith(str(self.network.port)) else "b"

    async def has_returned(self) -> None:
        """Let the rest of a pass, and wait until it answers again."""
        await asyncio.wait_for(self.time.somebody_sleeps(), PATIENCE_S)
        self.time.pass_by(60)
        await until(lambda: self.answers == "a")


@pytest_asyncio.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(events, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(remote, "_LIFE_SIGN_S", PATIENCE_S)
    time, changes = Time(), []
    async with small_server("from ", "a") as a, small_server("from ", "b") as b, bad_network(a.port) as network:
        wanted, stand_in = (RemoteSpec("completion", url) for url in (network.url, b.url))
        backend = RoleBackend(
            lambda: wanted,
            lambda _fraction: None,
            lambda ready, reason: changes.append(reason or ("ready" if ready else "gone")),
            stand_ins=[lambda: stand_in],
            clock=time.clock,
            sleep=time.sleep,
        )
        yield World(a, b, network, time, backend, changes)
        await backend.aclose()


@pytest.fixture
def impatient(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign of life is not waited for as long as usual."""
    monkeypatch.setattr(remote, "_LIFE_SIGN_S", 0.2)


async def test_a_slow_network_changes_nothing(world: World) -> None:
    world.network.latency_s = 0.1
    assert await world.ask() == "from a"
    world.network.latency_s, world.network.drip = 0.0, 7
    assert await world.ask() == "from a"
    assert (world.answers, world.changes) == ("a", ["ready"])


async def test_a_server_that_reads_for_long_is_waited_for(world: World) -> None:
    await world.backend.attach()
    world.a.reads.clear()
    answer = asyncio.create_task(world.ask())
    await asyncio.sleep(0.5)  # ten times what it takes to ask for a sign of life
    assert not answer.done()
    world.a.reads.set()
    assert await answer == "from a"


async def test_a_reset_before_an_answer_has_it_asked_for_again_there_and_then_elsewhere(world: World) -> None:
    await world.backend.attach()
    world.network.bytes_left = 0

    assert await world.ask() == "from b"

    assert (world.answers, world.b.asked) == ("b", 1)
    assert world.network.url in world.backend.trouble
    world.network.bytes_left = None
    await world.has_returned()
    assert world.backend.trouble == ""
    assert await world.ask() == "from a"
    assert world.changes == ["ready", "gone", "ready", "ready"]


async def test_a_reset_within_an_answer_ends_it_and_nothing_is_said_twice(world: World) -> None:
    await world.backend.attach()
    # The head of the answer and the first word.
    world.network.bytes_left = 130
    world.network.may_reset.clear()
    answer = world.backend.chat(TALK)
    assert (await anext(answer)).text == "from "
    world.network.may_reset.set()
    with pytest.raises(BackendUnavailableError, match=world.network.url):
        await collect(answer)
    assert world.b.asked == 0

    assert await world.ask() == "from b"


async def test_a_server_that_nobody_finds(world: World) -> None:
    world.network.bytes_left = 0

    assert await world.ask() == "from b"
    assert world.changes == ["ready"]


@pytest.mark.usefixtures("impatient")
async def test_a_half_open_connection_is_noticed_by_want_of_a_sign_of_life(world: World) -> None:
    await world.backend.attach()
    world.network.swallows = True

    assert await world.ask() == "from b"
    assert world.backend.trouble == f"{world.network.url} has fallen silent: nothing comes any more."

    world.network.swallows = False
    await world.has_returned()
    assert await world.ask() == "from a"


@pytest.mark.usefixtures("impatient")
async def test_it_is_noticed_while_somebody_types_on(world: World) -> None:
    await world.backend.attach()
    world.network.swallows = True
    asked = 0
    while not world.b.asked:
        # Each keystroke gives up the request of the one before.
        keystroke = asyncio.create_task(world.ask())
        await asyncio.wait({keystroke}, timeout=0.1)
        keystroke.cancel()
        await asyncio.wait({keystroke})
        asked += 1
        assert asked < 100
    assert world.answers == "b"


async def test_a_connection_that_falls_silent_within_an_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_SILENCE_S", 0.3)
    world.a.says, world.a.pause_s = ("word ",) * 1000, 0.02
    answer = world.backend.chat(TALK)
    assert (await anext(answer)).text == "word "
    world.network.swallows = True

    with pytest.raises(BackendUnavailableError, match="has fallen silent"):
        await collect(answer)


@pytest.mark.usefixtures("impatient")
async def test_without_a_second_server_it_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_PAGE_S", 0.2)
    backend = RoleBackend(lambda: RemoteSpec("completion", world.network.url), lambda _fraction: None)
    await backend.attach()
    world.network.swallows = True
    with pytest.raises(BackendUnavailableError, match=f"{world.network.url} has fallen silent"):
        await asyncio.wait_for(collect(backend.infill(HOLE)), PATIENCE_S)
    await backend.aclose()


@pytest.mark.parametrize("status", [401, 500, 503])
async def test_a_server_that_says_no_is_one_that_does_not_answer(world: World, status: int) -> None:
    assert await world.ask() == "from a"
    world.a.status = status
    assert await world.ask() == "from b"
    assert world.network.url in world.backend.trouble
    world.a.status = 200
    await world.has_returned()
    assert await world.ask() == "from a"


async def test_an_answer_that_has_begun_is_not_cut_off_by_the_return(world: World) -> None:
    world.network.bytes_left = 0
    world.b.says, world.b.pause_s = ("word ",) * 10, 0.05
    answer = world.backend.infill(HOLE)
    said = [(await anext(answer)).text]
    world.network.bytes_left = None
    await world.has_returned()

    said += [chunk.text async for chunk in answer]

    assert "".join(said) == "word " * 10
    assert world.answers == "a"
