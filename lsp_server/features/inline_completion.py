"""The suggestion at the cursor."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from lsp_server.context.window import window
from lsp_server.features.postprocess import chat_fill
from lsp_server.features.postprocess.completion import Place, is_complete, trim
from lsp_server.features.postprocess.fitting import fit
from lsp_server.features.types import fence_of
from lsp_server.inference.backend import Backend, ChatRequest, Chunk, InfillRequest, Priority, StopReason, Timings
from lsp_server.prompting.catalog import PromptCatalog
from lsp_server.syntax.checks import has_error
from lsp_server.syntax.hole import extent_at
from lsp_server.syntax.regions import Region, region_at
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.closers import closes_line
from lsp_server.text.known_names import KnownNames
from lsp_server.text.snippet import Snippet

# Alternatives differ by chance: at this temperature a small model still writes code.
_TEMPERATURE = 0.7

# A ``$`` begins a name in some languages, and with a bracket a piece of text that is put in.
_WORD = re.compile(r"\w|\$(?![{(])")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a document where a suggestion is wanted.

    Attributes:
        path, repository: what the model is told the file and the project are called.
        document: opaque id of the document, by which newer requests supersede older ones.
        related: code of other places.
        before, after: what the model is to see around the document: the other cells of a notebook.
        names: all that may stand behind the dot at the cursor; empty if that is not known, or there is none.
        known_names: the same of other dots, which a suggestion may have.
    """

    snapshot: Snapshot
    offset: int
    path: str = ""
    repository: str = "repository"
    document: str = ""
    related: tuple[Snippet, ...] = ()
    before: str = ""
    after: str = ""
    names: tuple[str, ...] = ()
    known_names: tuple[KnownNames, ...] = ()


@dataclass(frozen=True, slots=True)
class Effort:
    """What a suggestion may cost.

    Attributes:
        max_tokens: the longest answer.
        time_limit_ms: this long after its first token an answer of several lines ends with its line.
        in_text: whether one is wanted within strings and comments, too.
    """

    max_tokens: int
    time_limit_ms: float = 3000.0
    in_text: bool = False
    priority: Priority = Priority.INLINE


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text for the cursor; it takes the place of ``replaces`` characters behind it on its line."""

    text: str
    replaces: int
    timings: Timings


async def complete(
    cursor: Cursor,
    backend: Backend,
    effort: Effort,
    prompts: PromptCatalog,
    *,
    on_text: Callable[[str], None] = lambda _text: None,
) -> Suggestion | None:
    """A suggestion for the cursor, or None if there is nothing good to say.

    Args:
        prompts: for a model that was not trained to fill holes, and has to be talked to.
        on_text: called with what has been written so far, as it grows: raw, and perhaps not what will be suggested.

    Raises:
        BackendError: the model could not be asked.
    """
    place = place_of(cursor.snapshot, cursor.offset, in_text=effort.in_text)
    if place is None:
        return None
    request = request_for(cursor, place, effort)
    return await _suggestion(cursor, place, _asked(cursor, place, backend, request, prompts), on_text)


async def alternatives(
    cursor: Cursor, backend: Backend, effort: Effort, prompts: PromptCatalog, number: int
) -> AsyncIterator[Suggestion]:
    """Up to ``number`` different suggestions, the likeliest first; fewer where the model has no other idea.

    Raises:
        BackendError: the model could not be asked.
    """
    place = place_of(cursor.snapshot, cursor.offset, in_text=effort.in_text)
    if place is None:
        return
    request = request_for(cursor, place, effort)
    found: set[str] = set()
    for seed in range(number):
        # The prompt is the same, so all but the first only cost their own tokens.
        asked = request if not seed else replace(request, temperature=_TEMPERATURE, seed=seed)
        chunks = _asked(cursor, place, backend, asked, prompts)
        suggestion = await _suggestion(cursor, place, chunks, lambda _text: None)
        if suggestion and suggestion.text not in found:
            found.add(suggestion.text)
            yield suggestion


async def read_ahead(cursor: Cursor, backend: Backend) -> None:
    """Have the model read what a suggestion at the cursor would need, before one is asked for.

    Raises:
        BackendError: the model could not be asked.
    """
    place = place_of(cursor.snapshot, cursor.offset)
    if place is None or not backend.fills_holes:
        return
    request = request_for(cursor, place, Effort(0, priority=Priority.BACKGROUND))
    async with aclosing(backend.infill(request)) as chunks:  # type: ignore[type-var]
        async for _ in chunks:
            pass


async def _asked(
    cursor: Cursor, place: Place, backend: Backend, request: InfillRequest, prompts: PromptCatalog
) -> AsyncIterator[Chunk]:
    """What the model writes into the hole, in the way that it can."""
    if backend.fills_holes:
        async with aclosing(backend.infill(request)) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                yield chunk
        return
    told = ""
    async with aclosing(backend.chat(_conversation(cursor, place, request, prompts))) as answer:  # type: ignore[type-var]
        written = ""
        async for chunk in answer:
            written += chunk.text
            # What belongs at the cursor may shrink by what turns out to close the code; then nothing is taken back.
            text = chat_fill.strip(written, place.line_prefix, place.line_suffix)
            yield replace(chunk, text=text[len(told) :])
            told = text if len(text) > len(told) else told


def _conversation(cursor: Cursor, place: Place, request: InfillRequest, prompts: PromptCatalog) -> ChatRequest:
    language = cursor.snapshot.language
    fence = fence_of(language) if language else ""
    rendered = prompts.render(
        "fill_hole",
        cursor.snapshot.language_id,
        language=language.name if language else cursor.snapshot.language_id,
        fence=fence,
        suffix=request.suffix,
        related="\n".join(snippet.text for snippet in cursor.related),
    )
    return ChatRequest(
        chat_fill.messages(rendered, fence, request.prefix),
        request.max_tokens,
        stop=request.stop or (chat_fill.STOP,),
        temperature=request.temperature,
        seed=request.seed,
        grammar=chat_fill.grammar(place.line_prefix),
        priority=request.priority,
    )


async def _suggestion(
    cursor: Cursor, place: Place, asked: AsyncIterator[Chunk], on_text: Callable[[str], None]
) -> Suggestion | None:
    text, timings, reason = "", Timings(), None
    async with aclosing(asked) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            text += chunk.text
            timings, reason = chunk.timings, chunk.stop_reason
            on_text(text)
            if reason is None and is_complete(text, place):
                break
    if reason is StopReason.CANCELLED:
        return None
    fitting = fit(trim(text, place, cut_off=reason is StopReason.LENGTH), place, cursor.snapshot, cursor.offset)
    return Suggestion(fitting.text, fitting.replaces, timings) if fitting else None


def request_for(cursor: Cursor, place: Place, effort: Effort) -> InfillRequest:
    """What the model is asked."""
    around = window(cursor.snapshot.lines, cursor.offset)
    # What a line has behind the cursor ends it: nothing else may follow.
    one_line = bool(place.line_suffix.strip()) and not place.closes_block
    return InfillRequest(
        prefix=cursor.before + around.prefix,
        suffix=_lasting(around.suffix, place) + cursor.after,
        max_tokens=effort.max_tokens,
        path=cursor.path,
        repository=cursor.repository,
        extra=cursor.related,
        stop=("\n",) if one_line else (),
        document=cursor.document,
        names=cursor.names,
        known_names=cursor.known_names,
        time_limit_ms=0.0 if one_line else effort.time_limit_ms,
        priority=effort.priority,
    )


def place_of(snapshot: Snapshot, offset: int, *, in_text: bool = False) -> Place | None:
    """What kind of place the cursor is at; None where a suggestion would only be in the way.

    That is inside a word and, unless ``in_text``, inside strings and comments.
    """
    lines = snapshot.lines
    line = lines.line_of(offset)
    before = snapshot.text[lines.line_start(line) : offset]
    after = snapshot.text[offset : lines.line_end(line)] if offset <= lines.line_end(line) else ""
    if _WORD.match(after):
        return None
    if not in_text and region_at(snapshot, offset) is not Region.CODE:
        return None
    return Place(
        before,
        after,
        tuple(lines.line_text(n) for n in range(line + 1, min(line + 6, lines.line_count))),
        extent_at(snapshot, offset),
        snapshot.language.line_comment if snapshot.language else "",
        # In a file without errors what is open here is closed below.
        unclosed=not after.strip() and has_error(snapshot),
    )


def _lasting(suffix: str, place: Place) -> str:
    """What stands behind the cursor, without what an editor has put there to close what is being typed.

    It would come and go with every bracket, and with it the head of the prompt. A model writes it by itself, and
    ``fitting`` takes it off again.
    """
    if closes_line(place.line_prefix, place.line_suffix):
        return suffix[len(place.line_suffix) :]
    return suffix
