"""Edits that repeat their input, with guesses from the prompt and without."""

from __future__ import annotations

import ast
import fnmatch
import heapq
import inspect
import shutil
import statistics
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.engine.outcome import Bar, Outcome, Setup, median, table
from benchmarks.engine.peers import Answer, Server, ours
from benchmarks.engine.wire import RefusedRequestError

_BAR = 1.5
_ENOUGH = 400
# (function, parameter, its new name)
_FUNCTIONS: tuple[tuple[Callable[..., Any], str, str], ...] = (
    (textwrap.dedent, "text", "source"),
    (textwrap.indent, "prefix", "margin"),
    (heapq.nsmallest, "iterable", "items"),
    (heapq.merge, "reverse", "descending"),
    (fnmatch.filter, "names", "paths"),
    (shutil.copyfile, "src", "source"),
    (shutil.which, "cmd", "command"),
    (statistics.quantiles, "n", "parts"),
)


@dataclass(frozen=True, slots=True)
class Edit:
    """A question, and what kind of edit it asks for."""

    kind: str
    name: str
    content: str


def edits() -> list[Edit]:
    """A refactoring and a docstring for each function; those of another Python may have other words in them."""
    found = []
    for function, old, new in _FUNCTIONS:
        source = _without_docstring(textwrap.dedent(inspect.getsource(function)))
        fenced = f"Answer with the whole function.\n\n```python\n{source}```"
        rename = f"Rename the parameter `{old}` to `{new}` in this function. {fenced}"
        found.append(Edit("refactor", function.__name__, rename))
        found.append(Edit("docstring", function.__name__, f"Add a short docstring to this function. {fenced}"))
    return found


def _without_docstring(source: str) -> str:
    function = ast.parse(source).body[0]
    lines = source.splitlines(keepends=True)
    if isinstance(function, ast.FunctionDef) and ast.get_docstring(function) is not None:
        first = function.body[0]
        del lines[first.lineno - 1 : first.end_lineno]
    return "".join(lines)


def run(setup: Setup) -> Outcome:
    """Each edit both ways, in turn; the prompt is there already, so that only the writing is measured."""
    found: list[tuple[Edit, Answer, Answer]] = []
    chosen = edits()[: setup.count(100, 2)]
    with ours(setup.model, n_ctx=4096) as server:
        for number, edit in enumerate(chosen):
            server.chat(edit.content, max_tokens=1)
            ways = [{"speculative.n_max": 0}, {}]
            answers = [_ask(server, edit, ways[i]) for i in ((0, 1) if number % 2 else (1, 0))]
            plain, guessed = answers if number % 2 else answers[::-1]
            found.append((edit, plain, guessed))
    rows: list[list[object]] = []
    for edit, plain, guessed in found:
        same = "yes" if plain.text == guessed.text else f"to character {_common(plain.text, guessed.text)}"
        ratio = _rate(guessed) / _rate(plain)
        rows.append([f"{edit.kind}: {edit.name}", plain.generated, _rate(plain), _rate(guessed), ratio, same])
    ratios = [_rate(guessed) / _rate(plain) for _, plain, guessed in found]
    total = _total([g for _, _, g in found]) / _total([p for _, p, _ in found])
    same_share = sum(plain.text == guessed.text for _, plain, guessed in found) / len(found)
    by_kind = {
        edit.kind: [r for (e, _, _), r in zip(found, ratios, strict=True) if e.kind == edit.kind] for edit in chosen
    }
    told = ", ".join(f"{kind} {median(values):.2f} ×" for kind, values in by_kind.items())
    lines = [
        *table(["", "tokens", "tok/s without", "with", "×", "same text"], rows),
        "",
        f"Median {median(ratios):.2f} × ({told}); all tokens over all time {total:.2f} ×; {same_share:.0%} the same.",
    ]
    bar = Bar(
        "speculation on docstring and refactor edits",
        f"≥ {_BAR} × tok/s",
        f"{total:.2f} × in all, median {median(ratios):.2f} ×; {same_share:.0%} of the answers the same",
        total >= _BAR,
    )
    return Outcome(lines, [bar])


def _ask(server: Server, edit: Edit, fields: dict[str, Any]) -> Answer:
    answer = server.chat(edit.content, max_tokens=_ENOUGH, **fields)
    if answer.generated < 2:
        raise RefusedRequestError(f"{edit.name}: the model says nothing")
    return answer


def _rate(answer: Answer) -> float:
    """Tokens per second as a client sees them: from the first to the last."""
    return (answer.generated - 1) / (answer.wall_ms - answer.ttft_ms) * 1000


def _total(answers: list[Answer]) -> float:
    return sum(a.generated - 1 for a in answers) / sum(a.wall_ms - a.ttft_ms for a in answers)


def _common(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
