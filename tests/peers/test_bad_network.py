"""A real llama-server behind a network that fails; its own address, without one, stands by as a second server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lsp_server.errors import BackendUnavailableError
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, collect
from lsp_server.inference.remote_spec import RemoteSpec
from lsp_server.inference.roles import RoleBackend
from tests.peers.conftest import FOLDER
from tests.support import peers
from tests.support.bad_network import Network, bad_network
from tests.support.engine import RunningEngine
from tests.support.peers import KEY, Peer
from tests.support.time import Time, until
from tools.editors.fetching import NotHereError

pytestmark = pytest.mark.real_model

HOLE = InfillRequest("def add(a, b):\n    return a +", "\n", 4, stop=("\n",))
TALK = ChatRequest((Message("user", "Count from 1 to 1000, a number a line."),), 800)
LONG_S = 300.0


@pytest.fixture(scope="module")
def peer(small_model: Path) -> Iterator[Peer]:
    try:
        with peers.llama_server(FOLDER, small_model) as peer:
            yield peer
    except NotHereError as error:
        pytest.skip(f"llama-server cannot be had here: {error}")


@contextlib.asynccontextmanager
async def behind(peer: Peer, time: Time) -> AsyncIterator[tuple[Network, RoleBackend]]:
    async with bad_network(peer.port) as network:
        there, directly = (RemoteSpec("completion", url, key=KEY) for url in (network.url, peer.url))
        backend = RoleBackend(
            lambda: there,
            lambda _fraction: None,
            stand_ins=[lambda: directly],
            clock=time.clock,
            sleep=time.sleep,
        )
        try:
            yield network, backend
        finally:
            await backend.aclose()


async def asked(backend: RoleBackend) -> str:
    return (await asyncio.wait_for(collect(backend.infill(HOLE)), LONG_S)).text.strip()


async def returned(backend: RoleBackend, time: Time) -> None:
    await asyncio.wait_for(time.somebody_sleeps(), LONG_S)
    time.pass_by(60)
    await until(lambda: not backend.trouble)


async def test_latency_and_a_slow_line_change_no_answer(peer: Peer) -> None:
    async with behind(peer, Time()) as (network, backend):
        network.latency_s = 0.2
        assert await asked(backend) == "b"
        network.latency_s, network.drip = 0.0, 16
        assert await asked(backend) == "b"
        assert backend.trouble == ""


async def test_a_reset_before_an_answer_and_back_again(peer: Peer) -> None:
    time = Time()
    async with behind(peer, time) as (network, backend):
        await backend.attach()
        network.bytes_left = 0
        assert await asked(backend) == "b"
        assert backend.elsewhere.endswith(peer.host)
        network.bytes_left = None
        await returned(backend, time)
        assert backend.elsewhere.endswith(str(network.port))
        assert await asked(backend) == "b"


async def test_a_reset_within_an_answer_is_told_and_stops_the_servers_work(peer: Peer) -> None:
    async with behind(peer, Time()) as (network, backend):
        await backend.attach()
        network.bytes_left = 1500
        network.may_reset.clear()
        answer = backend.chat(TALK)
        await asyncio.wait_for(anext(answer), LONG_S)
        network.may_reset.set()
        with pytest.raises(BackendUnavailableError, match=network.url):
            await collect(answer)
        network.bytes_left = None
        await asyncio.wait_for(peer.idle(), LONG_S)


async def test_a_half_open_connection_is_left_for_the_second_server(peer: Peer) -> None:
    async with behind(peer, Time()) as (network, backend):
        await backend.attach()
        network.swallows = True
        assert await asked(backend) == "b"
        assert backend.trouble == f"{network.url} has fallen silent: nothing comes any more."
        assert backend.elsewhere.endswith(peer.host)


async def test_a_long_prompt_is_read_in_silence_and_waited_for(peer: Peer) -> None:
    async with behind(peer, Time()) as (_, backend):
        code = "".join(f"def function_{i}(value):\n    return value * {i} + {i % 7}\n\n\n" for i in range(200))
        long = InfillRequest(code + HOLE.prefix, HOLE.suffix, 4, stop=("\n",))
        assert (await asyncio.wait_for(collect(backend.infill(long)), LONG_S)).text
        assert backend.trouble == ""


async def test_the_engine_of_this_machine_stands_in_until_the_server_is_back(
    small_model: Path, engine: RunningEngine
) -> None:
    time = Time()
    try:
        with peers.llama_server(FOLDER, small_model) as peer:
            there = RemoteSpec("completion", peer.url, key=KEY)
            backend = RoleBackend(
                lambda: there,
                lambda _fraction: None,
                stand_ins=[lambda: engine.spec],
                clock=time.clock,
                sleep=time.sleep,
            )
            assert await asked(backend) == "b"
            peer.kill()
            assert await asked(backend) == "b"
            assert (backend.elsewhere, backend.ready) == ("", True)
            assert backend.trouble.startswith(f"{peer.url} cannot be reached")
        with peers.llama_server(FOLDER, small_model, peer.port):
            await returned(backend, time)
            assert backend.elsewhere.endswith(peer.host)
            assert await asked(backend) == "b"
            await backend.aclose()
    except NotHereError as error:
        pytest.skip(f"llama-server cannot be had here: {error}")
