"""The course of a suggestion: from memory, from an answer that is on its way, or from the model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from lsp_server.errors import ShardlightError
from lsp_server.features.inline_completion import Cursor, Effort, Suggestion, alternatives, complete, read_ahead
from lsp_server.inference.backend import Backend, Priority
from lsp_server.server import from_proto
from lsp_server.server.inline.memory import SuggestionMemory
from lsp_server.server.inline.next_line import next_line
from lsp_server.server.inline.outcome import Outcomes
from lsp_server.server.inline.pace import Pace
from lsp_server.server.inline.rhythm import Rhythm
from lsp_server.server.inline.visits import Visits

if TYPE_CHECKING:
    from lsp_server.server.session import Place, Session

# Whoever moves on sooner only passes through.
_REST_S = 0.3
_ALTERNATIVES = 3
# An editor takes its question back with each key, and asks anew at once: so long the answer goes on, in case that the
# key was what it says.
_GRACE_S = 0.1


@dataclass(frozen=True, slots=True)
class Found:
    """What is offered at a place, best first."""

    place: Place
    offset: int
    suggestions: tuple[Suggestion, ...]


@dataclass(slots=True)
class _UnderWay:
    """A question to the model.

    Attributes:
        written: what it has answered so far.
        waiting: how many later requests count on its answer.
    """

    place: Place
    offset: int
    task: asyncio.Task[tuple[Suggestion, ...]] = field(init=False)
    written: str = ""
    waiting: int = 0


class Suggesting:
    """The suggestions of one editor session."""

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._clock = clock
        self._memory = SuggestionMemory()
        self._rhythm = Rhythm()
        self._outcomes = Outcomes(session.count)
        self._visits = Visits(session.recent)
        self._under_way: dict[str, _UnderWay] = {}
        self._aside: dict[str, asyncio.Task[None]] = {}
        self.pace = Pace()

    def changed(self, place: Place) -> None:
        """A document was changed."""
        now = self._clock()
        self._rhythm.key(now)
        self._outcomes.changed(place.uri, place.snapshot.text, now)

    def closed(self, uri: str) -> None:
        """A document was closed."""
        self._stop(uri)
        self._memory.forget(uri)
        self._outcomes.closed(uri, self._clock())

    async def suggest(self, place: Place, position: lsp.Position, *, invoked: bool) -> Found | None:
        """What to offer at a position; None if there is nothing, or if something newer was asked meanwhile.

        Args:
            invoked: the user asked for it; then there may be alternatives, strings and comments are places like any
                other, and it neither waits for a pause in typing nor gives up on a loading model.
        """
        asked = self._clock()
        offset = from_proto.offset(position, place.snapshot.lines, self._session.encoding)
        self._visits.at(place.path, place.snapshot.lines, offset, edited=True)
        suggestions = () if invoked else self._remembered(place, offset)
        from_memory = bool(suggestions)
        if from_memory:
            self._stop_asking(place.uri)
        else:
            suggestions = await self._from_model(place, offset, invoked=invoked)
        if not suggestions or self._session.documents.get(place.uri) is not place.snapshot:
            return None
        self._outcomes.shown(
            place.uri,
            place.snapshot.language_id,
            place.snapshot.text,
            offset,
            suggestions[0],
            asked=asked,
            now=self._clock(),
            from_memory=from_memory,
        )
        if not from_memory:
            self._do_aside(place.uri, lambda: self._look_ahead(place, offset, suggestions[0]))
        return Found(place, offset, suggestions)

    def rests_at(self, place: Place, offset: int) -> None:
        """The cursor has come to a place: what a suggestion needs there is read ahead, if it stays for a moment."""
        self._visits.at(place.path, place.snapshot.lines, offset, edited=False)
        # Who only reads code needs no model.
        if self._session.last_timings is not None and place.uri not in self._under_way:
            self._do_aside(place.uri, lambda: self._read_ahead(place, offset))

    def _remembered(self, place: Place, offset: int) -> tuple[Suggestion, ...]:
        lines = place.snapshot.lines
        line_end = lines.line_end(lines.line_of(offset))
        return tuple(self._memory.find(place.uri, place.snapshot.text, offset, max(line_end, offset)))

    async def _from_model(self, place: Place, offset: int, *, invoked: bool) -> tuple[Suggestion, ...]:
        under_way = self._under_way.get(place.uri)
        if under_way and not invoked and _agrees(under_way, place, offset):
            # What was typed is what is being written: the answer will fit here as well.
            under_way.waiting += 1
            try:
                await asyncio.wait({under_way.task})
            finally:
                under_way.waiting -= 1
            if suggestions := self._remembered(place, offset):
                return suggestions
            if self._session.documents.get(place.uri) is not place.snapshot:
                return ()
        self._stop(place.uri)
        asked = self._under_way[place.uri] = _UnderWay(place, offset)
        asked.task = task = asyncio.create_task(self._ask(asked, invoked=invoked))
        task.add_done_callback(lambda _task: self._under_way.pop(place.uri) if self._is_under_way(asked) else None)
        try:
            # Shielded, so that this request's own cancellation can be told from being superseded.
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                return ()
            asyncio.get_running_loop().call_later(_GRACE_S, lambda: task.cancel() if not asked.waiting else None)
            raise

    def _is_under_way(self, asked: _UnderWay) -> bool:
        return self._under_way.get(asked.place.uri) is asked

    async def _ask(self, asked: _UnderWay, *, invoked: bool) -> tuple[Suggestion, ...]:
        session, place, offset = self._session, asked.place, asked.offset
        settings = session.settings.completion
        backend: Backend | None
        try:
            if invoked:
                backend = await session.backends.ready("completion")
            else:
                await asyncio.sleep(self._rhythm.pause(settings.debounce_ms / 1000))
                backend = session.backends.if_ready("completion")
            if backend is None:
                return ()
            effort = replace(self.pace.effort(settings.max_tokens), in_text=invoked or settings.in_text)
            cursor = await self._cursor(place, offset)
            started = self._clock()
            suggestions = await self._answers(cursor, backend, effort, asked, invoked=invoked)
        except ShardlightError as error:
            # While typing nobody wants a message box; the log has it, and an action would say it.
            session.log_once(str(error))
            return ()
        if suggestions:
            self._rhythm.answered(self._clock() - started)
            self.pace.seen(suggestions[0].timings)
            session.last_timings = suggestions[0].timings
            self._memory.add(place.uri, place.snapshot.text, offset, suggestions)
        return suggestions

    async def _answers(
        self, cursor: Cursor, backend: Backend, effort: Effort, asked: _UnderWay, *, invoked: bool
    ) -> tuple[Suggestion, ...]:
        if invoked:
            return tuple(
                [one async for one in alternatives(cursor, backend, effort, self._session.prompts, _ALTERNATIVES)]
            )

        def written(text: str) -> None:
            asked.written = text

        suggestion = await complete(cursor, backend, effort, self._session.prompts, on_text=written)
        return (suggestion,) if suggestion else ()

    async def _look_ahead(self, place: Place, offset: int, suggestion: Suggestion) -> None:
        """What will be wanted when this suggestion is accepted, and Enter pressed."""
        after = next_line(place.snapshot, offset, suggestion)
        backend = self._session.backends.if_ready("completion")
        if after is None or backend is None or not self._session.settings.completion.look_ahead:
            return
        snapshot, then = after
        effort = replace(self.pace.effort(self._session.settings.completion.max_tokens), priority=Priority.BACKGROUND)
        cursor = await self._cursor(replace(place, snapshot=snapshot), then)
        if found := await complete(cursor, backend, effort, self._session.prompts):
            self._memory.add(place.uri, snapshot.text, then, (found,))

    async def _read_ahead(self, place: Place, offset: int) -> None:
        await asyncio.sleep(_REST_S)
        if backend := self._session.backends.if_ready("completion"):
            await read_ahead(await self._cursor(place, offset, refresh=True), backend)

    async def _cursor(self, place: Place, offset: int, *, refresh: bool = False) -> Cursor:
        session = self._session
        before, after = session.notebooks.around(place.uri)
        return Cursor(
            place.snapshot,
            offset,
            path=session.workspace.relative(place.path),
            repository=session.workspace.root_of(place.path).name,
            # Another window may have the same file, and does not want its suggestions ended.
            document=f"{session.id} {place.uri}",
            related=await session.context(place, offset, self.pace.reading, refresh=refresh),
            before=before,
            after=after,
        )

    def _do_aside(self, uri: str, work: Callable[[], Awaitable[None]]) -> None:
        """Work that nobody waits for; the next question to the model in the document ends it."""
        if older := self._aside.pop(uri, None):
            older.cancel()

        async def quietly() -> None:
            try:
                await work()
            except ShardlightError as error:
                self._session.log_once(str(error))

        self._aside[uri] = asyncio.create_task(quietly())

    def _stop_asking(self, uri: str) -> None:
        if under_way := self._under_way.pop(uri, None):
            under_way.task.cancel()

    def _stop(self, uri: str) -> None:
        self._stop_asking(uri)
        if aside := self._aside.pop(uri, None):
            aside.cancel()


def _agrees(under_way: _UnderWay, place: Place, offset: int) -> bool:
    """Whether what was typed since a question is how its answer begins."""
    text, now = under_way.place.snapshot.text, place.snapshot.text
    typed = now[under_way.offset : offset]
    return bool(typed) and under_way.written.startswith(typed) and now.startswith(text[: under_way.offset])
