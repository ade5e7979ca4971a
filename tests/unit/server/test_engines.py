from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from lsprotocol import types as lsp

from lsp_server.errors import (
    BackendKeyError,
    BackendUnavailableError,
    DownloadError,
    EngineStartError,
    ModelNotInstalledError,
    SourceUnavailableError,
    UnknownModelError,
)
from lsp_server.inference import roles
from lsp_server.inference.backend import ChatRequest, Message, collect
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.probing import Capabilities
from lsp_server.inference.remote import RemoteBackend
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.models.catalog import CatalogModel, ModelFile, Role
from lsp_server.models.reference import CatalogRef, ModelRef
from lsp_server.models.store import InstalledModel
from lsp_server.models.transfer import Transfer
from lsp_server.server import engines, wanted
from lsp_server.server.engines import Engines
from lsp_server.server.retries import MOST_TRIES
from lsp_server.server.status import Status
from lsp_server.settings.schema import BackendSettings, EngineSettings, Settings
from tests.support.engine import PATIENCE_S
from tests.support.time import until

SMALL = CatalogRef(
    CatalogModel(
        "small",
        "Small",
        ("completion", "assistant"),
        "org/small",
        (ModelFile("a.gguf", 491_400_064),),
        "MIT",
        True,
        True,
    )
)


@dataclass
class FakeStore:
    """A store that has the model or not, and fetches it when told to."""

    installed: bool = True
    failure: Exception | None = None
    unknown: bool = False
    pulled: int = 0
    during_pull: Callable[[Callable[[], bool]], None] = lambda _cancelled: None

    def resolve(self, name: str, role: Role, suits: Callable[[CatalogModel], bool]) -> ModelRef:
        if self.unknown:
            raise UnknownModelError(f"There is no model {name}.")
        return SMALL

    def find(self, ref: ModelRef) -> InstalledModel | None:
        return self.locate(ref) if self.installed else None

    def locate(self, ref: ModelRef) -> InstalledModel:
        if not self.installed:
            raise ModelNotInstalledError(f"The model {ref.id} is not installed.")
        return InstalledModel(ref.id, Path("small.gguf"), (Path("small.gguf"),), 1)

    def pull(self, ref: ModelRef, progress: Callable[[Transfer], None], cancelled: Callable[[], bool]) -> None:
        self.pulled += 1
        progress(Transfer("a.gguf", 100, 400, "download"))
        self.during_pull(cancelled)
        if self.failure:
            raise self.failure
        self.installed = True


@dataclass
class FakeClient:
    """The server as ``Engines`` sees it: what it shows, and how the user answers."""

    answer: str | None = "Download"
    messages: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    client_capabilities: Any = field(default_factory=lambda: SimpleNamespace(window=None))
    work_done_progress: Any = None

    def shows_progress(self) -> None:
        """The client has progress displays, which can be cancelled."""
        self.client_capabilities.window = SimpleNamespace(work_done_progress=True)
        self.work_done_progress = FakeProgress()

    def cancel_progress(self) -> None:
        """The user cancels all that is displayed."""
        for token in self.work_done_progress.tokens.values():
            token.cancel()

    def window_show_message(self, params: lsp.ShowMessageParams) -> None:
        self.messages.append(params.message)

    async def window_show_message_request_async(self, params: lsp.ShowMessageRequestParams) -> Any:
        self.questions.append(params.message)
        await asyncio.sleep(0)
        return self.answer and lsp.MessageActionItem(self.answer)


class FakeProgress:
    """pygls' progress displays, of which only the tokens matter."""

    def __init__(self) -> None:
        self.tokens: dict[str, asyncio.Future[None]] = {}
        self.reported: list[object] = []

    async def create_async(self, token: str) -> None:
        self.tokens[token] = asyncio.get_running_loop().create_future()

    def begin(self, token: str, value: object) -> None: ...
    def report(self, token: str, value: object) -> None:
        self.reported.append(value)

    def end(self, token: str, value: object) -> None: ...


class FakeEngine:
    """What ``attach`` gives: an engine, or the reason why there is none."""

    fills_holes = True

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.elsewhere_failure: Exception | None = None
        self.attached = 0
        self.closed = 0
        self.notes: tuple[str, ...] = ()

    async def attach(self, spec: Any, on_progress: Callable[[float], None]) -> Any:
        self.attached += 1
        on_progress(0.5)
        if self.failure:
            raise self.failure
        return self

    async def load_notes(self) -> tuple[str, ...]:
        return self.notes

    async def aclose(self) -> None:
        self.closed += 1


@dataclass
class World:
    """Engines over the three fakes."""

    client: FakeClient
    store: FakeStore
    engine: FakeEngine
    engines: Engines
    states: list[Status]

    attach_by: Callable[[Any], None]

    async def settle(self) -> None:
        """Wait for what goes on in the background."""
        while pending := [task for task in self.engines._warming.values() if not task.done()]:
            await asyncio.wait(pending)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    client, store, engine = FakeClient(), FakeStore(), FakeEngine()
    monkeypatch.setattr(wanted, "store_from", lambda directory, *, registry_mirror: store)
    monkeypatch.setattr(roles, "attach", engine.attach)
    states: list[Status] = []

    def attach_by(attach: Any) -> None:
        monkeypatch.setattr(roles, "attach", attach)

    return World(client, store, engine, Engines(client, Settings(), states.append), states, attach_by)  # type: ignore[arg-type]


async def test_it_is_made_ready_in_the_background_once(world: World) -> None:
    assert world.engines.if_ready("completion") is None
    assert world.engines.if_ready("completion") is None
    await world.settle()
    assert world.engines.if_ready("completion") is not None
    assert world.engine.attached == 1
    assert world.client.messages == world.client.questions == []


async def test_what_had_to_be_given_up_is_told(world: World) -> None:
    world.engine.notes = ("There was not enough memory. Trying without half of the context.",)

    await world.engines.ready("assistant")

    assert world.client.messages == list(world.engine.notes)


async def test_an_engine_that_had_to_be_ended_is_told_of_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both roles have the same engine, and each sees it end."""
    now = 1000.0
    monkeypatch.setattr(engines.time, "monotonic", lambda: now)
    roles_of_it: tuple[Role, ...] = ("completion", "assistant")
    for role in roles_of_it:
        world.engines._ended(role, "The engine did nothing any more and was ended.")
    assert world.client.messages == [
        "small: The engine did nothing any more and was ended. Another one takes its place."
    ]
    now += 3600
    world.engines._ended("completion", "The engine did nothing any more and was ended.")
    assert len(world.client.messages) == 2


async def test_an_action_waits_until_it_is_ready(world: World) -> None:
    backend = await world.engines.ready("assistant")
    assert backend is world.engines.if_ready("assistant")
    assert await world.engines.ready("assistant") is backend
    assert world.engine.attached == 1


async def test_typing_waits_for_a_model_that_is_loading(world: World) -> None:
    first, second = await asyncio.gather(*(world.engines.once_loaded("completion") for _ in range(2)))
    assert first is second is world.engines.if_ready("completion")
    assert world.engine.attached == 1


async def test_who_waits_for_a_loading_model_may_leave(world: World) -> None:
    leaves = asyncio.create_task(world.engines.once_loaded("completion"))
    await asyncio.sleep(0)
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    await world.settle()
    assert world.engines.if_ready("completion") is not None


async def test_who_waits_when_the_session_ends_starts_nothing(world: World) -> None:
    waits = asyncio.create_task(world.engines.once_loaded("completion"))
    while not world.engines._warming:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await world.engines.aclose()
    assert await waits is None
    await world.settle()
    assert world.engine.attached == world.engine.closed


async def test_typing_does_not_wait_for_a_model_that_has_to_be_fetched(world: World) -> None:
    download = Downloading(world.store)
    assert await world.engines.once_loaded("completion") is None
    await download.started.wait()
    assert await world.engines.once_loaded("completion") is None
    download.finish.set()
    await world.settle()
    assert await world.engines.once_loaded("completion") is not None


@pytest.mark.parametrize("unknown", [True, False])
async def test_typing_does_not_wait_for_a_model_that_does_not_load(world: World, unknown: bool) -> None:
    world.engine.failure = EngineStartError("It did not start.")
    world.store.unknown = unknown
    for _ in range(2):
        assert await world.engines.once_loaded("completion") is None
        await world.settle()
    assert len(world.client.messages) == 1


async def test_a_missing_model_is_fetched_after_a_question(world: World) -> None:
    world.store.installed = False
    await world.engines.ready("assistant")
    assert world.store.pulled == 1
    (question,) = world.client.questions
    assert "small (491 MB, MIT)" in question


@pytest.mark.parametrize("answer", ["Not now", None])
async def test_a_declined_download_is_asked_about_once_while_typing(world: World, answer: str | None) -> None:
    world.store.installed = False
    world.client.answer = answer
    for _ in range(3):
        assert world.engines.if_ready("completion") is None
        await world.settle()
    assert len(world.client.questions) == 1
    assert world.client.messages == []
    assert world.store.pulled == 0


async def test_an_action_asks_again_and_says_what_to_do(world: World) -> None:
    world.store.installed = False
    world.client.answer = "Not now"
    world.engines.if_ready("completion")
    await world.settle()
    with pytest.raises(ModelNotInstalledError, match=r"small is not installed.*shardlight models pull small"):
        await world.engines.ready("completion")
    assert len(world.client.questions) == 2


async def test_what_an_action_fetched_serves_typing_too(world: World) -> None:
    world.store.installed = False
    world.client.answer = "Not now"
    world.engines.if_ready("completion")
    await world.settle()
    world.client.answer = "Download"
    await world.engines.ready("completion")
    assert world.engines.if_ready("completion") is not None


@pytest.mark.parametrize("failure", [None, SourceUnavailableError("No network.")])
async def test_what_was_lacking_is_looked_for_again(world: World, failure: Exception | None) -> None:
    world.store.installed = False
    world.store.failure = failure
    world.client.answer = "Download" if failure else "Not now"
    world.engines.if_ready("completion")
    await world.settle()
    await world.engines.look_again()
    assert world.states[-1].state == ("failed" if failure else "missing")
    # The command line has fetched it meanwhile.
    world.store.installed = True
    await world.engines.look_again()
    assert world.states[-1] == Status("idle", "small")
    assert world.engine.attached == 0
    world.engines.if_ready("completion")
    await world.settle()
    assert world.engines.if_ready("completion") is not None
    assert len(world.client.questions) == 1


async def test_typing_finds_what_the_command_line_has_fetched(world: World) -> None:
    world.store.installed = False
    world.client.answer = "Not now"
    world.engines.if_ready("completion")
    await world.settle()
    world.store.installed = True
    world.engines.if_ready("completion")
    await world.settle()
    assert world.engines.if_ready("completion") is not None


async def test_a_model_that_is_ready_stays_so_when_another_is_looked_for(world: World) -> None:
    world.store.installed = False
    world.client.answer = "Not now"
    world.engines.if_ready("completion")
    await world.settle()
    world.store.installed = True
    await world.engines.ready("assistant")
    await world.engines.look_again()
    assert world.states[-1].state == "ready"


async def test_two_who_need_the_same_model_ask_once(world: World) -> None:
    world.store.installed = False
    world.engines.if_ready("completion")
    await asyncio.gather(world.engines.ready("assistant"), world.engines.ready("completion"))
    await world.settle()
    assert len(world.client.questions) == 1
    assert world.store.pulled == 1


@pytest.mark.parametrize("failure", [EngineStartError("It did not start."), BackendUnavailableError("It is gone.")])
async def test_a_failed_load_is_told_once_while_typing(world: World, failure: Exception) -> None:
    world.engine.failure = failure
    for _ in range(3):
        assert world.engines.if_ready("completion") is None
        await world.settle()
    assert world.client.messages == [str(failure)]
    assert world.engine.attached == 1


async def test_a_failed_load_is_tried_again_after_a_while(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(engines.time, "monotonic", lambda: now)
    world.engine.failure = EngineStartError("It is just ending.")
    world.engines.if_ready("completion")
    await world.settle()
    now += 31
    world.engine.failure = None
    world.engines.if_ready("completion")
    await world.settle()
    assert world.engines.if_ready("completion") is not None
    assert world.client.messages == ["It is just ending."]


async def test_what_fails_again_and_again_is_left_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(engines.time, "monotonic", lambda: now)
    world.engine.failure = EngineStartError("It crashes.")
    for _ in range(9):
        world.engines.if_ready("completion")
        await world.settle()
        now += 3600
    assert world.client.messages == ["It crashes."]
    assert world.engine.attached == 4


async def test_what_rests_is_told_once_though_its_minutes_go_by(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(engines.time, "monotonic", lambda: now)
    for minutes in range(30, 20, -1):
        world.engine.failure = EngineStartError("It has crashed 3 times.", hint=f"It rests for {minutes} minutes.")
        world.engines.if_ready("completion")
        await world.settle()
        now += 3600
    assert world.client.messages == ["It has crashed 3 times. It rests for 30 minutes."]
    assert world.engine.attached == 4


async def test_a_failed_load_is_tried_again_by_an_action(world: World) -> None:
    world.engine.failure = EngineStartError("It did not start.")
    with pytest.raises(EngineStartError):
        await world.engines.ready("assistant")
    world.engine.failure = None
    await world.engines.ready("assistant")
    assert world.client.messages == []


async def test_a_failed_download_is_told_once_while_typing(world: World) -> None:
    world.store.installed = False
    world.store.failure = SourceUnavailableError("No network.")
    for _ in range(3):
        world.engines.if_ready("completion")
        await world.settle()
    assert world.client.messages == ["No network."]


async def test_an_unknown_model_is_told_once_while_typing(world: World) -> None:
    world.store.unknown = True
    for _ in range(3):
        world.engines.if_ready("completion")
        await world.settle()
    assert world.client.messages == ["There is no model auto."]
    assert world.engines.describe("completion") == {"model": "", "state": "There is no model auto."}


class Downloading:
    """A download that goes on until it is stopped, or finished by the test."""

    def __init__(self, store: FakeStore) -> None:
        store.installed = False
        store.during_pull = self._go_on
        self._loop = asyncio.get_running_loop()
        self.started = asyncio.Event()
        self.stopped = asyncio.Event()
        self.finish = threading.Event()

    def _go_on(self, cancelled: Callable[[], bool]) -> None:
        self._loop.call_soon_threadsafe(self.started.set)
        while not self.finish.wait(0.001):
            if cancelled():
                self._loop.call_soon_threadsafe(self.stopped.set)
                return


async def test_a_download_that_is_stopped_in_its_progress_display_stops(world: World) -> None:
    world.client.shows_progress()
    download = Downloading(world.store)
    task = asyncio.create_task(world.engines.ready("assistant"))
    await download.started.wait()
    world.client.cancel_progress()
    with pytest.raises(DownloadError, match="was stopped"):
        await task
    await asyncio.wait_for(download.stopped.wait(), PATIENCE_S)


async def test_what_a_stopped_download_still_does_is_not_shown(world: World) -> None:
    world.client.shows_progress()
    world.store.installed = False
    loop, started, reported = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    def pull(_ref: ModelRef, progress: Callable[[Transfer], None], cancelled: Callable[[], bool]) -> None:
        loop.call_soon_threadsafe(started.set)
        while not cancelled():
            pass
        progress(Transfer("a.gguf", 200, 400, "download"))
        loop.call_soon_threadsafe(reported.set)

    world.store.pull = pull  # type: ignore[method-assign]
    task = asyncio.create_task(world.engines.ready("assistant"))
    await started.wait()
    world.client.cancel_progress()
    with pytest.raises(DownloadError, match="was stopped"):
        await task
    await asyncio.wait_for(reported.wait(), PATIENCE_S)
    assert told(world)[-1] == ("failed", None)
    assert world.client.work_done_progress.reported == []


async def test_a_download_outlives_whoever_asked_for_it(world: World) -> None:
    download = Downloading(world.store)
    first, second = (asyncio.create_task(world.engines.ready("completion")) for _ in range(2))
    await download.started.wait()
    for task in (first, second):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    third = asyncio.create_task(world.engines.ready("completion"))
    download.finish.set()
    assert await third is world.engines.if_ready("completion")
    assert not download.stopped.is_set()
    assert (len(world.client.questions), world.store.pulled) == (1, 1)


async def test_a_failed_download_that_nobody_waits_for_any_more_is_told(world: World) -> None:
    download = Downloading(world.store)
    world.store.failure = SourceUnavailableError("No network.")
    task = asyncio.create_task(world.engines.ready("completion"))
    await download.started.wait()
    task.cancel()
    await asyncio.wait({task})
    download.finish.set()
    await world.settle()
    assert world.client.messages == ["No network."]


async def test_closing_stops_a_download(world: World) -> None:
    download = Downloading(world.store)
    task = asyncio.create_task(world.engines.ready("completion"))
    await download.started.wait()
    await world.engines.aclose()
    with pytest.raises(DownloadError, match="was stopped"):
        await task
    await asyncio.wait_for(download.stopped.wait(), PATIENCE_S)


async def test_states_in_words(world: World) -> None:
    world.store.installed = False
    assert world.engines.describe("completion") == {"model": "small", "state": "not installed"}
    world.store.installed = True
    assert world.engines.describe("completion") == {"model": "small", "state": "not started"}
    await world.engines.ready("completion")
    assert world.engines.describe("completion") == {"model": "small", "state": "ready"}


async def test_closing_lets_go_of_all(world: World) -> None:
    await world.engines.ready("completion")
    await world.engines.ready("assistant")
    world.engines.if_ready("assistant")
    await world.engines.aclose()
    assert world.engine.closed == 2


def told(world: World) -> list[tuple[str, int | None]]:
    return [(one.state, one.percent) for one in world.states]


async def test_the_states_of_a_model_that_is_there(world: World) -> None:
    await world.engines.ready("completion")
    assert told(world) == [("loading", 0), ("loading", 50), ("ready", None)]
    assert {one.model for one in world.states} == {world.engines.describe("completion")["model"]}


async def test_the_states_of_one_that_does_not_load(world: World) -> None:
    world.engine.failure = EngineStartError("It does not fit.", hint="Choose a smaller one.")
    with pytest.raises(EngineStartError):
        await world.engines.ready("completion")
    assert told(world)[-1] == ("failed", None)
    assert world.states[-1].message == "It does not fit. Choose a smaller one."


async def test_the_states_of_one_that_has_to_be_fetched(world: World) -> None:
    world.store.installed = False
    world.client.answer = "Not now"
    with pytest.raises(ModelNotInstalledError):
        await world.engines.ready("completion")
    assert set(told(world)) == {("missing", None)}
    world.states.clear()
    world.client.answer = "Download"
    await world.engines.ready("completion")
    assert next(state for state, _ in told(world)) == "missing"
    assert ("downloading", 25) in told(world)
    assert told(world)[-1] == ("ready", None)


@pytest.fixture
def remote_world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The assistant is elsewhere; no model is installed here."""

    async def connect(spec: Any) -> RemoteBackend:
        world.engine.attached += 1
        if failure := world.engine.failure or world.engine.elsewhere_failure:
            raise failure
        can = Capabilities("llama-server", "/models/big.gguf", "infill", "repeated")
        return RemoteBackend(spec, httpx.AsyncClient(), can)

    monkeypatch.setattr(roles, "connect", connect)
    settings = Settings(backend=BackendSettings(assistant_url=("http://gpu.example:8080/v1",)))
    world.store.installed = False
    world.engines = Engines(world.client, settings, world.states.append)  # type: ignore[arg-type]
    return world


async def test_a_server_elsewhere_takes_no_model_and_says_where_it_is(remote_world: World) -> None:
    engines = remote_world.engines
    assert engines.describe("assistant") == {"model": "gpu.example:8080", "state": "not connected"}

    await engines.ready("assistant")

    assert engines.describe("assistant") == {"model": "big.gguf at gpu.example:8080", "state": "ready"}
    assert [(one.state, one.model) for one in remote_world.states] == [
        ("loading", "gpu.example:8080"),
        ("ready", "big.gguf at gpu.example:8080"),
    ]
    assert (remote_world.client.questions, remote_world.store.pulled) == ([], 0)
    assert engines.describe("completion")["state"] == "not installed", "the other role is not concerned"
    await engines.aclose()


async def test_a_server_elsewhere_that_is_away_is_told_once_and_never_given_up(
    remote_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote_world.engine.failure = BackendUnavailableError("http://gpu.example:8080 cannot be reached.")
    now = 0.0
    monkeypatch.setattr(engines.time, "monotonic", lambda: now)

    for _ in range(10):
        assert await remote_world.engines.once_loaded("assistant") is None
        now += 1000

    assert remote_world.engine.attached == 10
    assert len(remote_world.client.messages) == 1
    remote_world.engine.failure = None
    assert await remote_world.engines.once_loaded("assistant") is not None
    remote_world.engines._changed("assistant", False, "")
    assert remote_world.states[-1].message == "The connection is lost."
    await remote_world.engines.aclose()


async def test_an_engine_stands_in_which_is_told_once_and_kindly(remote_world: World) -> None:
    engines, here = remote_world.engines, remote_world.engine
    remote_world.store.installed = True
    here.elsewhere_failure = BackendUnavailableError("http://gpu.example:8080 cannot be reached.", hint="Is it on?")

    await engines.ready("assistant")
    engines._changed("assistant", True, "")

    said = "http://gpu.example:8080 cannot be reached. small on this machine answers meanwhile."
    assert engines.describe("assistant") == {"model": "small on this machine", "state": "ready"}
    assert remote_world.client.messages == [said]
    assert [(one.state, one.model, one.percent) for one in remote_world.states[:2]] == [
        ("loading", "gpu.example:8080", None),
        ("loading", "gpu.example:8080", 50),
    ]
    last = remote_world.states[-1]
    assert (last.state, last.model, last.message) == ("ready", "small on this machine", said)
    await engines.aclose()


async def test_a_key_that_stays_wrong_is_given_up(remote_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    remote_world.engine.failure = BackendKeyError("http://gpu.example:8080 refuses the key (401).")
    now = 0.0
    monkeypatch.setattr(engines.time, "monotonic", lambda: now)

    for _ in range(10):
        assert await remote_world.engines.once_loaded("assistant") is None
        now += 1000

    assert remote_world.engine.attached == MOST_TRIES
    assert len(remote_world.client.messages) == 1
    await remote_world.engines.aclose()


@dataclass
class Switching:
    """What the switch from one engine to another is told about the memory, and which engines were sent away."""

    in_the_way: bool = False
    dismissed: list[EngineSpec] = field(default_factory=list)

    async def dismiss(self, old: EngineSpec) -> bool:
        self.dismissed.append(old)
        return True


@pytest.fixture
def switching(world: World, monkeypatch: pytest.MonkeyPatch) -> Switching:
    switching = Switching()
    monkeypatch.setattr(engines, "in_the_way", lambda old, new: switching.in_the_way)
    monkeypatch.setattr(engines, "dismiss", switching.dismiss)
    return switching


LARGER = Settings(engine=EngineSettings(n_ctx=4096))


async def test_who_answers_does_so_until_the_next_one_can(world: World, switching: Switching) -> None:
    before = await world.engines.ready("completion")
    loads = asyncio.Event()

    async def attach(spec: EngineSpec, on_progress: Callable[[float], None]) -> Any:
        await loads.wait()
        return FakeEngine()

    world.attach_by(attach)
    await world.engines.switch(LARGER)

    assert world.engines.if_ready("completion") is before
    assert await world.engines.once_loaded("completion") is before
    assert await world.engines.ready("completion") is before
    assert world.engine.closed == 0

    loads.set()
    await world.settle()
    after = world.engines.if_ready("completion")
    assert after is not None
    assert after is not before
    assert world.engine.closed == 1
    assert [spec.n_ctx for spec in switching.dismissed] == [8192]


async def test_one_that_is_in_the_way_goes_first_and_it_is_said(world: World, switching: Switching) -> None:
    await world.engines.ready("completion")
    switching.in_the_way = True

    async def attach(spec: EngineSpec, on_progress: Callable[[float], None]) -> Any:
        assert world.engine.closed == 1
        assert len(switching.dismissed) == 1
        return FakeEngine()

    world.attach_by(attach)
    await world.engines.switch(LARGER)
    await world.settle()

    assert world.client.messages == ["small is let go first: there is not enough memory for small beside it."]
    assert world.engines.if_ready("completion") is not None


async def test_one_whose_successor_fails_goes_on(world: World, switching: Switching) -> None:
    before = await world.engines.ready("completion")
    world.engine.failure = EngineStartError("It did not start.")

    await world.engines.switch(LARGER)
    await world.settle()

    assert world.engines.if_ready("completion") is before
    assert world.client.messages == ["It did not start. small goes on answering."]
    assert switching.dismissed == []


async def test_an_engine_that_another_role_has_is_not_sent_away(world: World, switching: Switching) -> None:
    await world.engines.ready("completion")
    await world.engines.ready("assistant")

    await world.engines.switch(Settings(engine=EngineSettings(idle_minutes=5)))
    await world.settle()

    # Both roles are served by engines of the same name again.
    assert world.engine.closed == 2
    assert [spec.name for spec in switching.dismissed] == []


async def test_the_end_of_a_session_closes_those_of_before_too(world: World, switching: Switching) -> None:
    await world.engines.ready("completion")
    world.engine.failure = EngineStartError("It did not start.")
    await world.engines.switch(LARGER)
    await world.settle()

    await world.engines.aclose()

    assert world.engine.closed == 1
    assert switching.dismissed == []


async def test_what_is_on_its_way_is_begun_again_by_a_switch(world: World, switching: Switching) -> None:
    """Nobody has to ask once more: whoever rests at a place asks no second time."""
    attached: list[int] = []

    async def attach(spec: EngineSpec, on_progress: Callable[[float], None]) -> Any:
        attached.append(spec.n_ctx)
        await asyncio.Event().wait()

    world.attach_by(attach)
    world.engines.if_ready("completion")
    await until(lambda: attached == [8192])

    await world.engines.switch(LARGER)

    await until(lambda: attached == [8192, 4096])
    await world.engines.aclose()


async def test_what_is_not_ready_is_dropped_by_a_switch(world: World, switching: Switching) -> None:
    world.engine.failure = EngineStartError("It did not start.")
    world.engines.if_ready("completion")
    await world.settle()
    world.engine.failure = None

    await world.engines.switch(LARGER)

    assert world.engines.if_ready("completion") is None
    await world.settle()
    assert world.engines.if_ready("completion") is not None
    assert switching.dismissed == []


class Answering(ScriptedBackend, FakeEngine):
    """An engine that says hello."""

    def __init__(self) -> None:
        FakeEngine.__init__(self)
        ScriptedBackend.__init__(self, chats=("Hello",))


async def test_an_action_that_goes_on_after_a_switch_asks_the_next_engine(world: World, switching: Switching) -> None:
    attached: list[int] = []

    async def attach(spec: EngineSpec, on_progress: Callable[[float], None]) -> Any:
        attached.append(spec.n_ctx)
        return Answering()

    world.attach_by(attach)
    taken = await world.engines.ready("assistant")
    await world.engines.switch(LARGER)
    await world.settle()

    answer = await collect(taken.chat(ChatRequest((Message("user", "Hi"),), 4)))

    assert answer.text == "Hello"
    assert attached == [8192, 4096], "the engine that was let go is not started again"


async def test_who_asks_while_the_settings_change_gets_what_they_say(world: World, switching: Switching) -> None:
    """The question of a download is taken back by the change; just then an action is asked for, too."""
    attached: list[int] = []
    asks = asyncio.Event()

    async def attach(spec: EngineSpec, on_progress: Callable[[float], None]) -> Any:
        attached.append(spec.n_ctx)
        return FakeEngine()

    async def question(_params: object) -> Any:
        asks.set()
        try:
            await asyncio.Event().wait()
        finally:
            world.store.installed = True
            world.engines.if_ready("assistant")

    world.attach_by(attach)
    world.store.installed = False
    world.client.window_show_message_request_async = question  # type: ignore[method-assign, assignment]
    world.engines.if_ready("completion")
    await asks.wait()

    await world.engines.switch(LARGER)
    await world.settle()
    await asyncio.gather(world.engines.ready("assistant"), world.engines.ready("completion"))

    assert attached == [4096, 4096]


async def test_a_role_that_is_asked_for_while_another_is_dropped(world: World, switching: Switching) -> None:
    starts = asyncio.Event()

    async def attach(spec: EngineSpec, on_progress: Callable[[float], None]) -> Any:
        starts.set()
        try:
            await asyncio.Event().wait()
        finally:
            world.engines.if_ready("assistant")

    world.attach_by(attach)
    world.engines.if_ready("completion")
    await starts.wait()

    await world.engines.switch(LARGER)

    world.attach_by(world.engine.attach)
    assert await world.engines.once_loaded("completion") is not None
    await world.engines.aclose()
