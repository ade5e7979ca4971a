"""The course of a suggestion: from memory, from an answer that is on its way, or from the model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
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
from lsp_server.server.inline.question import Question
from lsp_server.server.inline.rhythm import Rhythm
from lsp_server.server.inline.visits import Visits

if TYPE_CHECKING:
    from lsp_server.server.session import Place, Session

# Whoever moves on sooner only passes through.
_REST_S = 0.3
_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What is offered at a place, best first."""

    place: Place
    offset: int
    suggestions: tuple[Suggestion, ...]


class Suggesting:
    """The suggestions of one editor session."""

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._clock = clock
        self._memory = SuggestionMemory()
        self._rhythm = Rhythm()
        self._outcomes = Outcomes(session.count)
        self._visits = Visits(session.recent)
        self._under_way: dict[str, Question] = {}
        # The last of each document, also when it is done.
        self._ahead: dict[str, Question] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self.pace = Pace()

    def changed(self, place: Place) -> None:
        """A document was changed."""
        now = self._clock()
        self._rhythm.key(now)
        self._outcomes.changed(place.uri, place.snapshot.text, now)

    def closed(self, uri: str) -> None:
        """A document was closed."""
        self._stop_asking(uri)
        self._stop_aside(uri)
        self._ahead.pop(uri, None)
        self._memory.forget(uri)
        self._outcomes.closed(uri, self._clock())

    async def suggest(
        self, place: Place, position: lsp.Position, *, invoked: bool, patience_s: float | None = None
    ) -> Found | None:
        """What to offer at a position; None if there is nothing, or if something newer was asked meanwhile.

        Args:
            invoked: the user asked for it; then there may be alternatives, strings and comments are places like any
                other, and it neither waits for a pause in typing nor gives up on a model that has to be fetched first.
            patience_s: how long to wait for an answer, in seconds; one that comes later is remembered.
        """
        asked = self._clock()
        offset = from_proto.offset(position, place.snapshot.lines, self._session.encoding)
        self._visits.at(place.path, place.snapshot.lines, offset, edited=True)
        suggestions = () if invoked else self._remembered(place, offset)
        from_memory = bool(suggestions)
        if from_memory:
            self._stop_asking(place.uri)
        else:
            suggestions = await self._from_model(place, offset, patience_s, invoked=invoked)
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
        self._look_ahead(place, offset, suggestions[0])
        return Found(place, offset, suggestions)

    def rests_at(self, place: Place, offset: int) -> None:
        """The cursor has come to a place: what a suggestion needs there is read ahead, if it stays for a moment."""
        self._visits.at(place.path, place.snapshot.lines, offset, edited=False)
        ahead = self._ahead.get(place.uri)
        looks_ahead = ahead and not ahead.task.done() and ahead.lies_ahead(place, offset)
        # Who only reads code needs no model.
        if self._session.last_timings is not None and place.uri not in self._under_way and not looks_ahead:
            self._stop_aside(place.uri)
            self._reading[place.uri] = asyncio.create_task(self._read_ahead(place, offset))

    def _remembered(self, place: Place, offset: int) -> tuple[Suggestion, ...]:
        lines = place.snapshot.lines
        line_end = lines.line_end(lines.line_of(offset))
        return tuple(self._memory.find(place.uri, place.snapshot.text, offset, max(line_end, offset)))

    async def _from_model(
        self, place: Place, offset: int, patience_s: float | None, *, invoked: bool
    ) -> tuple[Suggestion, ...]:
        if not invoked and (expected := self._expected(place, offset)):
            await expected.answer(patience_s)
            if suggestions := self._remembered(place, offset):
                return suggestions
            # What stopped it is newer than this, too.
            is_stale = expected.stopped or self._session.documents.get(place.uri) is not place.snapshot
            if is_stale or not expected.task.done():
                return ()
        self._stop_asking(place.uri)
        self._stop_aside(place.uri)
        asked = self._under_way[place.uri] = Question(place, offset)
        asked.task = asyncio.create_task(self._ask(asked, invoked=invoked))
        asked.task.add_done_callback(lambda _task: self._answered(asked))
        return await asked.answer(patience_s)

    def _expected(self, place: Place, offset: int) -> Question | None:
        """What is asked already and will be answered with something that fits here as well."""
        under_way, ahead = self._under_way.get(place.uri), self._ahead.get(place.uri)
        if under_way and under_way.fits(place, offset):
            return under_way
        # As long as it only reads, asking again is faster: what was read is there, and the background has to wait.
        return ahead if ahead and ahead.written and ahead.fits(place, offset) else None

    def _answered(self, asked: Question) -> None:
        if self._under_way.get(asked.place.uri) is asked:
            del self._under_way[asked.place.uri]

    async def _ask(self, asked: Question, *, invoked: bool) -> tuple[Suggestion, ...]:
        session, place, offset = self._session, asked.place, asked.offset
        settings = session.settings.completion
        backend: Backend | None
        try:
            if invoked:
                backend = await (await session.chosen_backends()).ready("completion")
            else:
                await asyncio.sleep(self._rhythm.pause(settings.debounce_ms / 1000))
                # An editor asks no second time for a cursor that stays where it is.
                backend = await (await session.chosen_backends()).once_loaded("completion")
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
            session.answered(suggestions[0].timings)
            self._memory.add(place.uri, place.snapshot.text, offset, suggestions)
        elif (ahead := self._ahead.get(place.uri)) and ahead.lies_ahead(place, offset):
            # An accepted line has mostly no more to it; then the next one is wanted.
            self._ask_ahead(ahead.place, ahead.offset)
        return suggestions

    async def _answers(
        self, cursor: Cursor, backend: Backend, effort: Effort, asked: Question, *, invoked: bool
    ) -> tuple[Suggestion, ...]:
        if not invoked:
            suggestion = await complete(cursor, backend, effort, self._session.prompts, on_text=asked.wrote)
            return (suggestion,) if suggestion else ()
        found: list[Suggestion] = []
        try:
            async for one in alternatives(cursor, backend, effort, self._session.prompts, _ALTERNATIVES):
                found.append(one)
        except ShardlightError as error:
            if not found:
                raise
            self._session.log_once(str(error))
        return tuple(found)

    def _look_ahead(self, place: Place, offset: int, suggestion: Suggestion) -> None:
        """Ask in the background what will be wanted when this suggestion is accepted, and Enter pressed."""
        after = next_line(place.snapshot, offset, suggestion)
        if after and self._session.settings.completion.look_ahead:
            snapshot, then = after
            self._ask_ahead(replace(place, snapshot=snapshot), then)

    def _ask_ahead(self, place: Place, offset: int) -> None:
        last = self._ahead.get(place.uri)
        # Whoever types a suggestion is led to the same line by each key.
        is_asked = last and last.is_for(place, offset) and not last.stopped
        if is_asked or self._remembered(place, offset):
            return
        self._stop_aside(place.uri)
        asked = self._ahead[place.uri] = Question(place, offset)
        asked.task = asyncio.create_task(self._answer_ahead(asked))

    async def _answer_ahead(self, asked: Question) -> tuple[Suggestion, ...]:
        session, place, offset = self._session, asked.place, asked.offset
        backend = session.backends.if_ready("completion")
        if backend is None:
            return ()
        effort = replace(self.pace.effort(session.settings.completion.max_tokens), priority=Priority.BACKGROUND)
        try:
            cursor = await self._cursor(place, offset)
            found = await complete(cursor, backend, effort, session.prompts, on_text=asked.wrote)
        except ShardlightError as error:
            session.log_once(str(error))
            return ()
        if found is None:
            return ()
        self._memory.add(place.uri, place.snapshot.text, offset, (found,))
        return (found,)

    async def _read_ahead(self, place: Place, offset: int) -> None:
        await asyncio.sleep(_REST_S)
        try:
            if backend := self._session.backends.if_ready("completion"):
                await read_ahead(await self._cursor(place, offset, reads_only=True), backend)
        except ShardlightError as error:
            self._session.log_once(str(error))

    async def _cursor(self, place: Place, offset: int, *, reads_only: bool = False) -> Cursor:
        session = self._session
        before, after = session.notebooks.around(place.uri)
        # What is only read ahead writes no names.
        names, known_names = ((), ()) if reads_only else await session.members(place, offset)
        return Cursor(
            place.snapshot,
            offset,
            path=session.workspace.relative(place.path),
            repository=session.workspace.root_of(place.path).name,
            # Another window may have the same file, and does not want its suggestions ended.
            document=f"{session.id} {place.uri}",
            related=await session.context(place, offset, self.pace.reading, refresh=reads_only),
            before=before,
            after=after,
            names=names,
            known_names=known_names,
        )

    def _stop_asking(self, uri: str) -> None:
        if under_way := self._under_way.pop(uri, None):
            under_way.stop()

    def _stop_aside(self, uri: str) -> None:
        """End the work that nobody waits for."""
        if ahead := self._ahead.get(uri):
            ahead.stop()
        if reading := self._reading.pop(uri, None):
            reading.cancel()
