"""The suggestion at the cursor."""

from __future__ import annotations

import re
from contextlib import aclosing
from dataclasses import dataclass, replace

from lsp_server.context.window import window
from lsp_server.features.postprocess.completion import Place, is_complete, trim, up_to_closing, without_overlap
from lsp_server.inference.backend import Backend, InfillRequest, Priority, StopReason, Timings
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.closers import closes_line
from lsp_server.text.edits import TextEdit, detect_newline, indent_of
from lsp_server.text.snippet import Snippet

# After this long a block ends with the line that is being written: better a part now than all of it late.
_TIME_LIMIT_MS = 3000.0
_OPENS_BLOCK = re.compile(r"(?:[:{(\[]|=>|\b(?:then|do))\s*$")
_COMMENT = re.compile(r"[\s:;,]*(?:#|//|/\*|--)")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a document where a suggestion is wanted.

    Attributes:
        path, repository: what the model is told the file and the project are called.
        document: opaque id of the document, by which newer requests supersede older ones.
        related: stubs of other files.
    """

    snapshot: Snapshot
    offset: int
    path: str = ""
    repository: str = "repository"
    document: str = ""
    related: tuple[Snippet, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Text to insert at the cursor."""

    text: str
    timings: Timings


async def complete(cursor: Cursor, backend: Backend, *, max_tokens: int) -> Suggestion | None:
    """A suggestion for the cursor, or None if there is nothing good to say.

    Raises:
        BackendError: the model could not be asked.
    """
    place = place_of(cursor.snapshot, cursor.offset)
    if place is None:
        return None
    request = _request(cursor, place, max_tokens)
    text, timings, reason = "", Timings(), None
    async with aclosing(backend.infill(request)) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            text += chunk.text
            timings, reason = chunk.timings, chunk.stop_reason
            if reason is None and is_complete(text, place):
                break
    if reason is StopReason.CANCELLED:
        return None
    fitting = _fit(trim(text, place, cut_off=reason is StopReason.LENGTH), place, cursor)
    return Suggestion(fitting, timings) if fitting else None


async def read_ahead(cursor: Cursor, backend: Backend) -> None:
    """Have the model read what a suggestion at the cursor would need, before one is asked for.

    Raises:
        BackendError: the model could not be asked.
    """
    place = place_of(cursor.snapshot, cursor.offset)
    if place is None:
        return
    request = replace(_request(cursor, place, max_tokens=0), priority=Priority.BACKGROUND)
    async with aclosing(backend.infill(request)) as chunks:  # type: ignore[type-var]
        async for _ in chunks:
            pass


def _request(cursor: Cursor, place: Place, max_tokens: int) -> InfillRequest:
    around = window(cursor.snapshot.lines, cursor.offset)
    return InfillRequest(
        prefix=around.prefix,
        suffix=_lasting(around.suffix, place),
        max_tokens=max_tokens,
        path=cursor.path,
        repository=cursor.repository,
        extra=cursor.related,
        stop=() if place.multiline else ("\n",),
        document=cursor.document,
        time_limit_ms=_TIME_LIMIT_MS if place.multiline else 0.0,
    )


def place_of(snapshot: Snapshot, offset: int) -> Place | None:
    """What kind of place the cursor is at; None where a suggestion would only be in the way (inside a word)."""
    lines = snapshot.lines
    line = lines.line_of(offset)
    before = snapshot.text[lines.line_start(line) : offset]
    after = snapshot.text[offset : lines.line_end(line)] if offset <= lines.line_end(line) else ""
    if after[:1].isalnum() or after.startswith("_"):
        return None
    below = tuple(lines.line_text(n) for n in range(line + 1, min(line + 6, lines.line_count)))
    blank = not before.strip() and not after.strip()
    # `{}` is how an editor leaves a block to be written; `()` rather is for a few words.
    between = before.rstrip().endswith("{") and after.lstrip().startswith("}") and closes_line(before, after)
    opens = (not after.strip() or between) and _OPENS_BLOCK.search(before) is not None
    return Place(before, after, below, multiline=blank or opens)


def _lasting(suffix: str, place: Place) -> str:
    """What stands behind the cursor, without what an editor has put there to close what is being typed.

    It would come and go with every bracket, and with it the head of the prompt. A model writes it by itself, and
    ``_candidates`` takes it off again.
    """
    if closes_line(place.line_prefix, place.line_suffix):
        return suffix[len(place.line_suffix) :]
    return suffix


def _fit(text: str, place: Place, cursor: Cursor) -> str:
    """The longest beginning of the text that leaves the file no worse than it was; empty if there is none."""
    snapshot = cursor.snapshot
    newline = detect_newline(snapshot.text)

    def errors(candidate: str) -> int:
        edit = TextEdit(cursor.offset, cursor.offset, candidate.replace("\n", newline))
        return error_count(snapshot.edited([edit], snapshot.version))

    allowed = error_count(snapshot)
    counted = [(errors(c), c) for c in _candidates(text, place) if c.strip()]
    least = min((count for count, _ in counted), default=allowed + 1)
    if least > allowed:
        return ""
    return next(c for count, c in counted if count == least).replace("\n", newline)


def _candidates(text: str, place: Place) -> list[str]:
    """What to offer, best first: as it came, without what repeats the line's end, then line by line shorter."""
    lines = text.split("\n")
    shorter = ["\n".join(lines[:n]).rstrip() for n in range(len(lines) - 1, 0, -1)]
    overlap = without_overlap(text, place.line_suffix)
    # Whether `x)` before `)` closes one bracket or repeats one, the syntax tree decides; a tail never comes twice.
    if overlap != text and len(text) - len(overlap) > 1:
        return [overlap]
    open_ended = up_to_closing(text, place.line_suffix)
    if place.closes_block and len(lines) > 1:
        # The line's end closes the block, on a line of its own.
        below = "\n" + indent_of(place.line_prefix)
        return [block.rstrip() + below for block in (open_ended, *shorter) if block.strip()]
    # In a comment that comes with the answer, the line's end would be of no harm, and of no use.
    if _COMMENT.match(text[len(open_ended) :].removeprefix(place.line_suffix.strip())):
        return [open_ended]
    return list(dict.fromkeys((text, overlap, open_ended.rstrip(), *shorter)))
