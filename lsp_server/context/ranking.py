"""The best candidates that fit a budget, none of them twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lsp_server.context.budget import estimated_tokens
from lsp_server.context.candidates import Candidate

# What is less likely to help is not worth reading, however much room there is.
LEAST_SCORE = 0.2
# The longest function whose body is shown.
_BODY_CHARS = 1200
_BODY_SCORE = 0.5
# Nothing takes less.
_LEAST_COST = 4
_PATH_COST = 10
_HEADER_COST = 20
# Indentation, punctuation and a line's end.
_STUB_CHARS = 8
# More of a piece than this is shown already: it says nothing new.
_SAME = 0.5
_FUNCTIONS = ("function", "method")


def choose(candidates: Sequence[Candidate], budget_tokens: int) -> tuple[Candidate, ...]:
    """The candidates with the highest scores that fit, the best first.

    Overlapping pieces of text of one file become one, and a symbol that a piece of text shows is left out.
    """
    chosen: dict[Path, list[Candidate]] = {}
    room = budget_tokens
    for candidate in sorted((c for c in candidates if c.score >= LEAST_SCORE), key=_order):
        if room < _LEAST_COST:
            break
        here = chosen.setdefault(candidate.path, [])
        if _is_shown(candidate, here):
            continue
        wider = _joined(candidate, here)
        # What the wider piece shows is no longer shown by itself.
        shown = [] if wider.symbol else [c for c in here if _covers(wider, c)]
        more = cost(wider) + _opening(wider, here) - sum(map(cost, shown))
        if more <= room:
            room -= more
            chosen[candidate.path] = [*(c for c in here if c not in shown), wider]
    return tuple(sorted((c for here in chosen.values() for c in here), key=_order))


def _total(chosen: Sequence[Candidate]) -> int:
    files: dict[Path, list[Candidate]] = {}
    total = 0
    for candidate in chosen:
        here = files.setdefault(candidate.path, [])
        total += cost(candidate) + _opening(candidate, here)
        here.append(candidate)
    return total


def _opening(candidate: Candidate, here: Sequence[Candidate]) -> int:
    """What comes with the first piece of a file, and with the first member of a class that is not chosen itself."""
    path = 0 if here else _PATH_COST
    if candidate.symbol is None or candidate.symbol.container is None:
        return path
    outer = candidate.symbol.container.split(".")[-1]
    known = any(c.symbol and outer in (c.symbol.name, (c.symbol.container or "").split(".")[-1]) for c in here)
    return path if known else path + _HEADER_COST


def with_bodies(
    chosen: Sequence[Candidate], text_of: Callable[[Path], str | None], budget_tokens: int
) -> tuple[Candidate, ...]:
    """Short functions whole, the best first, as far as there is room for them."""
    room = budget_tokens - _total(chosen)
    result: list[Candidate] = []
    bodies: list[Candidate] = []
    for candidate in chosen:
        whole = _whole(candidate, text_of) if candidate.score >= _BODY_SCORE else None
        if whole and (more := cost(whole) - cost(candidate)) <= room:
            room -= more
            candidate = whole
            bodies.append(whole)
        result.append(candidate)
    return tuple(c for c in result if not any(_holds(body, c) for body in bodies))


def _holds(body: Candidate, inner: Candidate) -> bool:
    """Whether a function that is shown whole shows an attribute as well."""
    return inner.symbol is not None and body.path == inner.path and body.start < inner.start and inner.end <= body.end


def cost(candidate: Candidate) -> int:
    """About how many tokens a candidate takes."""
    if candidate.symbol is None:
        return estimated_tokens(candidate.text)
    return estimated_tokens(candidate.symbol.signature + (candidate.symbol.doc or "") + " " * _STUB_CHARS)


def _order(candidate: Candidate) -> tuple[float, int, str, int]:
    return -candidate.score, candidate.kind, str(candidate.path), candidate.start


def _is_shown(candidate: Candidate, here: Sequence[Candidate]) -> bool:
    """Whether what was chosen of its file shows a candidate."""
    if any(_covers(other, candidate) for other in here):
        return True
    if candidate.symbol:
        return False
    if candidate.start >= 0:
        # Of what is worth seeing in it the stubs are enough, or the bodies come with them.
        functions = [c for c in here if c.symbol and c.symbol.kind in _FUNCTIONS]
        seen = sum(max(min(c.end, candidate.end) - max(c.start, candidate.start), 0) for c in functions)
        return seen > _SAME * (candidate.end - candidate.start)
    lines = set(candidate.text.split("\n"))
    return any(len(lines & set(other.text.split("\n"))) > _SAME * len(lines) for other in here)


def _covers(outer: Candidate, inner: Candidate) -> bool:
    """Of two candidates of one file."""
    if outer.start < 0 or inner.start < 0:
        return False
    if outer.symbol:
        return outer.symbol == inner.symbol
    return outer.start <= inner.start and inner.end <= outer.end


def _joined(candidate: Candidate, here: Sequence[Candidate]) -> Candidate:
    """A piece of text with what it overlaps of the same file."""
    if candidate.symbol or candidate.start < 0:
        return candidate
    for other in here:
        if other.symbol or other.start < 0:
            continue
        first, second = sorted((candidate, other), key=lambda c: c.start)
        if second.start <= first.end < second.end:
            text = first.text + second.text[first.end - second.start :]
            candidate = replace(candidate, start=first.start, end=second.end, text=text)
    return candidate


def _whole(candidate: Candidate, text_of: Callable[[Path], str | None]) -> Candidate | None:
    """A function with its body; None where that is long, or the file is no longer what the index has seen."""
    symbol = candidate.symbol
    if symbol is None or symbol.kind not in _FUNCTIONS or symbol.end - symbol.start > _BODY_CHARS:
        return None
    text = text_of(candidate.path)
    if text is None:
        return None
    line_start = text.rfind("\n", 0, symbol.start) + 1
    source = text[symbol.start : symbol.end].rstrip()
    heads = (line.split("(")[0] for line in symbol.signature.splitlines())
    if text[line_start : symbol.start].strip() or not all(head in source for head in heads):
        return None
    # Rendered like a type, that is as it is written.
    return replace(
        candidate, symbol=replace(symbol, kind="type", signature=_dedented(source, symbol.start - line_start))
    )


def _dedented(source: str, columns: int) -> str:
    first, *rest = source.splitlines()
    return "\n".join((first, *(line[columns:] if not line[:columns].strip() else line for line in rest)))
