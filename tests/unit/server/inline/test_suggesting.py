from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types as lsp

from lsp_server.context.ring import RecentChunks
from lsp_server.errors import BackendUnavailableError
from lsp_server.inference.backend import Chunk, InfillRequest, Priority, Timings
from lsp_server.inference.scripted import Reply, ScriptedBackend
from lsp_server.server.documents import Documents
from lsp_server.server.inline import question
from lsp_server.server.inline.suggesting import Found, Suggesting
from lsp_server.server.session import Place
from lsp_server.settings.schema import CompletionSettings, Settings
from lsp_server.statistics.events import Event, Shown
from lsp_server.text.positions import LineIndex, PositionEncoding
from tests.support.cursor import cursor
from tests.support.features import PROMPTS
from tests.support.time import until

URI = "file:///w/a.py"
INLINE, BACKGROUND = Priority.INLINE, Priority.BACKGROUND


class Model(ScriptedBackend):
    """A scripted model that writes a piece when it is let to, and says what it is doing."""

    def __init__(self, *infills: Reply) -> None:
        self._pieces = asyncio.Semaphore(0)
        self.going_on = 0
        super().__init__(infills=infills, pause=lambda: asyncio.ensure_future(self._piece()))

    def let(self, pieces: int = 1000) -> None:
        for _ in range(pieces):
            self._pieces.release()

    async def _piece(self) -> None:
        await self._pieces.acquire()

    async def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.infill``."""
        self.going_on += 1
        try:
            async for chunk in super().infill(request):
                yield chunk
        finally:
            self.going_on -= 1

    async def asked(self, number: int) -> None:
        """Wait until so many questions were asked."""
        await until(lambda: len(self.holes) >= number)

    @property
    def holes(self) -> list[InfillRequest]:
        return [request for request in self.seen if isinstance(request, InfillRequest)]

    @property
    def priorities(self) -> list[Priority]:
        return [request.priority for request in self.holes]


class Window:
    """An editor's window with one document, as the session of its server sees it."""

    def __init__(self, model: Model, *, look_ahead: bool = True) -> None:
        self.events: list[Event] = []
        self.log: list[str] = []
        self.documents = Documents()

        async def context(*_spot: object, refresh: bool = False) -> tuple[()]:
            return ()

        async def members(*_spot: object) -> tuple[tuple[()], tuple[()]]:
            return (), ()

        async def ready(_role: str) -> Model:
            return model

        backends = SimpleNamespace(if_ready=lambda _role: model, once_loaded=ready, ready=ready)

        async def chosen_backends() -> Any:
            return backends

        session: Any = SimpleNamespace(
            id="window",
            encoding=PositionEncoding.UTF16,
            documents=self.documents,
            settings=Settings(completion=CompletionSettings(debounce_ms=0, look_ahead=look_ahead)),
            prompts=PROMPTS,
            recent=RecentChunks(),
            last_timings=None,
            answered=lambda timings: setattr(session, "last_timings", timings),
            count=self.events.append,
            log_once=self.log.append,
            context=context,
            members=members,
            backends=backends,
            chosen_backends=chosen_backends,
            notebooks=SimpleNamespace(around=lambda _uri: ("", "")),
            workspace=SimpleNamespace(relative=lambda path: path.name, root_of=lambda path: path.parent),
        )
        self.session = session
        self.suggesting = Suggesting(session)

    def shows(self, marked: str) -> tuple[Place, lsp.Position]:
        """The document has this text now, with the cursor at ``<|>``."""
        text, offset = cursor(marked)
        self.documents.open(lsp.TextDocumentItem(URI, "python", 1, text))
        snapshot = self.documents.get(URI)
        assert snapshot
        place = Place(URI, snapshot, Path("/w/a.py"))
        self.suggesting.changed(place)
        return place, lsp.Position(*LineIndex(text).position(offset, PositionEncoding.UTF16))

    async def suggest(self, marked: str, **how: Any) -> str | None:
        """The best suggestion when this text was typed."""
        return best(await self.suggesting.suggest(*self.shows(marked), **{"invoked": False, **how}))

    async def again(self, place: Place, position: lsp.Position, *, invoked: bool) -> str | None:
        """The best suggestion for a text that is there already."""
        return best(await self.suggesting.suggest(place, position, invoked=invoked))


def best(found: Found | None) -> str | None:
    return found.suggestions[0].text if found else None


async def begun(coroutine: Any) -> asyncio.Task[Any]:
    """A task that has run until it waits."""
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    return task


async def settled() -> None:
    """Wait until nothing goes on."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


async def stopped(task: asyncio.Task[Any]) -> None:
    """Take a request back."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_was_asked_for_by_key_is_not_ended_by_an_older_request() -> None:
    model = Model("foo and bar", "1", "2", "3")
    window = Window(model, look_ahead=False)
    older = await begun(window.suggest("x = <|>\n"))
    model.let(1)
    await until(lambda: window.suggesting._under_way[URI].written)
    shown = window.shows("x = foo<|>\n")
    waiting = await begun(window.again(*shown, invoked=False))
    by_key = await begun(window.again(*shown, invoked=True))
    model.let()
    assert await by_key == "1"
    assert (await older, await waiting) == (None, None)


async def test_it_ends_with_the_last_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question, "_GRACE_S", 0)
    model = Model("foo and bar")
    window = Window(model)
    first = await begun(window.suggest("x = <|>\n"))
    model.let(1)
    await until(lambda: window.suggesting._under_way[URI].written)
    second = await begun(window.suggest("x = foo<|>\n"))
    await stopped(first)
    assert model.going_on == 1
    await stopped(second)
    await until(lambda: model.going_on == 0)
    assert window.suggesting._under_way == {}


async def test_the_same_question_is_not_asked_twice() -> None:
    model = Model("foo")
    window = Window(model, look_ahead=False)
    shown = window.shows("x = <|>\n")
    both = [await begun(window.again(*shown, invoked=False)) for _ in range(2)]
    model.let()
    assert await asyncio.gather(*both) == ["foo", "foo"]
    assert len(model.holes) == 1


async def test_an_answer_that_comes_too_late_is_remembered_and_not_counted_as_shown() -> None:
    model = Model("foo")
    window = Window(model, look_ahead=False)
    assert await window.suggest("x = <|>\n", patience_s=0) is None
    await model.asked(1)
    assert window.events == []
    model.let()
    await settled()
    assert window.events == []
    assert await window.suggest("x = f<|>\n", patience_s=0) == "oo"
    assert [event.from_cache for event in window.events if isinstance(event, Shown)] == [True]
    assert len(model.holes) == 1


async def test_a_request_with_little_patience_can_be_taken_back() -> None:
    model = Model("foo")
    window = Window(model)
    request = await begun(window.suggest("x = <|>\n", patience_s=60))
    await model.asked(1)
    await stopped(request)
    await until(lambda: model.going_on == 0)


async def test_what_was_found_is_offered_though_another_alternative_failed() -> None:
    model = Model("1", BackendUnavailableError("It is gone."))
    window = Window(model, look_ahead=False)
    model.let()
    assert await window.suggest("x = <|>\n", invoked=True) == "1"
    assert window.log == ["It is gone."]


async def test_one_known_line_leads_to_the_next() -> None:
    model = Model("y = x", "z = y", "w = z")
    window = Window(model)
    model.let()
    assert await window.suggest("<|>\n") == "y = x"
    await settled()
    assert await window.suggest("y = x\n<|>\n") == "z = y"
    await settled()
    assert await window.suggest("y = x\nz = y\n<|>\n") == "w = z"
    await settled()
    assert model.priorities == [INLINE] + 3 * [BACKGROUND]


@pytest.mark.parametrize("next_line", ["z = y", ""])
async def test_typing_a_suggestion_looks_ahead_once(next_line: str) -> None:
    model = Model("y = x", next_line)
    window = Window(model)
    model.let()
    for marked, rest in (("<|>\n", "y = x"), ("y<|>\n", " = x"), ("y =<|>\n", " x")):
        assert await window.suggest(marked) == rest
        await settled()
    assert model.priorities == [INLINE, BACKGROUND]


async def test_looking_ahead_goes_on_when_an_accepted_line_has_no_more_to_it() -> None:
    model = Model("yy", "zz", "", "zz")
    window = Window(model)
    model.let(1)
    assert await window.suggest("<|>\n") == "yy"
    await model.asked(2)
    assert await window.suggest("yy<|>\n") is None
    await model.asked(4)
    assert model.priorities == [INLINE, BACKGROUND, INLINE, BACKGROUND]
    assert model.holes[3] == model.holes[1]
    model.let()
    await settled()
    assert await window.suggest("yy\n<|>\n") == "zz"
    assert model.priorities.count(INLINE) == 2


async def test_the_line_that_is_looked_ahead_for_is_waited_for() -> None:
    model = Model("yy", "zz and z", "")
    window = Window(model)
    model.let(2)
    assert await window.suggest("<|>\n") == "yy"
    await until(lambda: window.suggesting._ahead[URI].written)
    request = await begun(window.suggest("yy\n<|>\n"))
    model.let()
    assert await request == "zz and z"
    await settled()
    assert model.priorities == [INLINE, BACKGROUND, BACKGROUND]


async def test_looking_ahead_ends_where_something_else_is_typed() -> None:
    model = Model("yy", "zz and z", "1")
    window = Window(model)
    model.let(1)
    await window.suggest("<|>\n")
    await model.asked(2)
    request = await begun(window.suggest("x = <|>\n"))
    await model.asked(3)
    assert model.going_on == 1
    model.let()
    assert await request == "1"


async def test_a_cursor_that_rests_at_a_suggestion_does_not_end_looking_ahead() -> None:
    model = Model("yy", "zz")
    window = Window(model)
    model.let(1)
    place, position = window.shows("<|>\n")
    assert await window.again(place, position, invoked=False) == "yy"
    window.session.last_timings = Timings()
    await model.asked(2)
    window.suggesting.rests_at(place, 0)
    model.let()
    await settled()
    assert await window.suggest("yy\n<|>\n") == "zz"
    assert model.priorities.count(INLINE) == 1


async def test_nothing_goes_on_for_a_closed_document() -> None:
    model = Model("yy")
    window = Window(model)
    model.let(1)
    await window.suggest("<|>\n")
    await model.asked(2)
    window.documents.close(URI)
    window.suggesting.closed(URI)
    await settled()
    assert model.going_on == 0
    assert not any((window.suggesting._ahead, window.suggesting._reading, window.suggesting._under_way))
