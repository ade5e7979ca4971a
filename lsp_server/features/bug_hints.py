"""Bug hints: the model reads a function, and where it would rather expect another name or operator, that is a hint.

A small model is poor at saying whether there is a bug, and where. It is good at expecting what comes next. So it is not
asked to write: it tells how likely the function is as it stands, token by token, and again with each of the few
replacements that it finds likelier where they stand. If one makes the code around it much likelier, it is shown, with
the place and the correction, which are therefore always real. In words of its own the model says nothing unless it is
asked to: a small one finds the slip, and then explains it wrongly.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import accumulate

from lsp_server.errors import BackendRejectedError
from lsp_server.features.types import Target, Tools, add_timings
from lsp_server.inference.backend import Priority, ScoredToken, ScoreRequest, Timings
from lsp_server.syntax.imports import import_statements
from lsp_server.syntax.swaps import swaps
from lsp_server.text.edits import TextEdit

LEAST_GAIN = 4.0
"""How much likelier a correction has to make the code, as a natural logarithm.

Chosen with the 0.5B model by ``python -m benchmarks.actions bugs`` with seeds 1 and 2: of 75 functions with a bug and
the same without, 35 hints were right and none wrong; from 3 on 40 were right and 4 wrong. Most code has no bug, so that
a wrong hint weighs more than one that is missed. How it does on others is in benchmarks/results/actions-bugs.md.
"""

# A function that is longer is not read as a whole, and a line that is longer is data: a token for every digit or two.
_MOST_CHARS, _LONGEST_LINE = 8000, 400
_BEFORE_CHARS = 1500
_IMPORT_CHARS = 800
# How many likelier tokens are told, how many replacements are read, and how far the reading goes behind them.
_ALTERNATIVES = 12
_MOST_READ = 5
_BEHIND_CHARS = 240


@dataclass(frozen=True, slots=True)
class BugHint:
    """A probable bug and its correction.

    Attributes:
        function_text: the function as it was looked at; the hint holds while this text stands in the document.
        start, end: what to underline, relative to ``function_text``.
        message: for people.
        fix_title: what the correction writes, in a few words.
        edits: the correction, relative to ``function_text``.
        gain: how much likelier it makes the code, as a natural logarithm.
    """

    function_text: str
    start: int
    end: int
    message: str
    fix_title: str
    edits: tuple[TextEdit, ...]
    gain: float
    timings: Timings


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A replacement in a document that would make the code likelier, by ``gain`` as a natural logarithm."""

    start: int
    end: int
    meant: str
    gain: float


async def find_bugs(
    target: Target, tools: Tools, *, priority: Priority = Priority.ACTION, least_gain: float = LEAST_GAIN
) -> BugHint | None:
    """Look for a bug in a function; None if none was found.

    Raises:
        BackendError: the model could not be asked, or cannot tell how likely a text is.
    """
    found, timings = await suspicions(target, tools, priority=priority)
    best = max(found, key=lambda one: one.gain, default=None)
    if best is None or best.gain < least_gain:
        return None
    first, text, lines = target.scope.start, target.snapshot.text, target.snapshot.lines
    line = lines.line_of(best.start)
    line_start, line_end = lines.line_start(line) + len(lines.indentation(line)), lines.line_end(line)
    # Where something is missing there is nothing to underline.
    shown = (best.start, best.end) if best.start < best.end else (line_start, line_end)
    return BugHint(
        function_text=text[first : target.scope.end],
        start=shown[0] - first,
        end=shown[1] - first,
        message=f"Possible bug: {_in_words(text[best.start : best.end].strip(), best.meant.strip())}.",
        fix_title=f"Fix: `{text[line_start : best.start]}{best.meant}{text[best.end : line_end]}`",
        edits=(TextEdit(best.start - first, best.end - first, best.meant),),
        gain=best.gain,
        timings=timings,
    )


def _in_words(old: str, meant: str) -> str:
    if not old:
        return f"`{meant}` would be expected here"
    return f"`{old}` here, where {f'`{meant}` would be expected' if meant else 'nothing would be expected'}"


def fingerprint(target: Target) -> str:
    """A digest of what a hint depends on, besides the model: the function, what it imports, and what it uses of others.

    The code above is left out, though the model is shown it: with that, each edit would have all functions below read
    again.
    """
    text = target.snapshot.text
    imported = (text[first:last] for first, last in import_statements(target.snapshot))
    known = "\0".join((target.language.id, target.code, target.related_text, *imported))
    return hashlib.sha256(known.encode("utf-8", "replace")).hexdigest()


async def suspicions(
    target: Target, tools: Tools, *, priority: Priority = Priority.ACTION
) -> tuple[list[Suspicion], Timings]:
    """The replacements that the model was asked about, whatever it thinks of them. Raises as `find_bugs` does."""
    snapshot, scope = target.snapshot, target.scope
    start = snapshot.lines.line_start(snapshot.lines.line_of(scope.start))
    text = snapshot.text[start : scope.end]
    if len(text) > _MOST_CHARS or max(map(len, text.splitlines()), default=0) > _LONGEST_LINE:
        return [], Timings()
    reader = _Reader(tools, _context(target, start), priority, f"Reading {scope.name}")
    tokens = await reader.read("", text)
    starts = [0, *accumulate(len(token.text) for token in tokens)]
    candidates: list[tuple[float, int, TextEdit]] = []
    for swap in swaps(snapshot, scope):
        for other in swap.alternatives:
            edit = TextEdit(swap.start - start, swap.end - start, other)
            if (found := _expected(tokens, starts, text, edit)) and found[0] > 0:
                candidates.append((*found, edit))
    suspected = []
    # The last one first: what the engine has read up to a place it need not read again for an earlier one.
    best = sorted(candidates, key=lambda one: -one[0])[:_MOST_READ]
    for _, index, edit in sorted(best, key=lambda one: -one[1]):
        last = bisect_right(starts, min(edit.end + _BEHIND_CHARS, len(text)) - 1)
        # Up to where it differs, which may be behind its first letters, it is the same text.
        new = f"{text[: edit.start]}{edit.new_text}{text[edit.end : starts[last]]}"
        changed = await reader.read(new[: starts[index]], new[starts[index] :])
        gain = sum(token.logprob for token in changed) - sum(token.logprob for token in tokens[index:last])
        suspected.append(Suspicion(edit.start + start, edit.end + start, edit.new_text, gain))
    return suspected, reader.timings


class _Reader:
    """Has a model read text behind a context, and keeps what it cost."""

    def __init__(self, tools: Tools, context: str, priority: Priority, phase: str) -> None:
        self.timings = Timings()
        self._tools = tools
        self._context = context
        self._priority = priority
        self._phase = phase
        self._count = 0

    async def read(self, before: str, text: str) -> list[ScoredToken]:
        """The tokens of ``text`` behind the context and ``before``; their texts joined are ``text``."""
        request = ScoreRequest(self._context + before, text, _ALTERNATIVES, self._priority)
        tokens: list[ScoredToken] = []
        cost = Timings()
        async with aclosing(self._tools.backend.score(request)) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                cost = chunk.timings
                # A character may be of several tokens, and is told with the last of them.
                tokens += (ScoredToken(chunk.text, one.logprob, one.alternatives) for one in chunk.scored)
                self._count += len(chunk.scored)
                self._tools.report(self._phase, self._count)
        self.timings = add_timings(self.timings, cost)
        if sum(len(token.text) for token in tokens) != len(text):
            raise BackendRejectedError("This server does not tell how likely a text is.", hint="Shardlight's own does.")
        return tokens


def _context(target: Target, start: int) -> str:
    """What stands before a function's first line, by whole lines: its file's imports, and the code right above it."""
    text = target.snapshot.text
    above = max(start - _BEFORE_CHARS, 0)
    if above:
        above = text.find("\n", above, start) + 1 or start
    imported = [text[first:last] for first, last in import_statements(target.snapshot) if last <= above]
    said = "\n".join((target.related_text, *imported))[-_IMPORT_CHARS:]
    return f"{said}\n{text[above:start]}" if said.strip() else text[above:start] or "\n"


def _expected(
    tokens: Sequence[ScoredToken], starts: Sequence[int], text: str, edit: TextEdit
) -> tuple[float, int] | None:
    """How much likelier a replacement begins than what stands there, and at which token; None if it is not told."""
    new = text[: edit.start] + edit.new_text + text[edit.end :]
    index = bisect_right(starts, edit.start) - 1
    # `base` in place of `based`: the first token may be the same.
    while index < len(tokens) and tokens[index].text == new[starts[index] : starts[index + 1]]:
        index += 1
        if starts[index] >= edit.start + max(len(edit.new_text), edit.end - edit.start):
            return None
    if index >= len(tokens):
        return None
    at, token = starts[index], tokens[index]
    fitting = [logprob for piece, logprob in token.alternatives if piece != token.text and new.startswith(piece, at)]
    return (max(fitting) - token.logprob, index) if fitting else None
