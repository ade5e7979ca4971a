"""From chosen candidates to the snippets of a prompt, in an order that changes as little as it can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.budget import estimated_tokens
from lsp_server.context.candidates import Candidate, Kind, Sources
from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.ranking import cost
from lsp_server.context.symbols import as_symbol
from lsp_server.syntax.outline import Symbol, render
from lsp_server.text.secrets import masked
from lsp_server.text.snippet import Snippet

# An item of the last context stays if so many of its symbols would be shown again.
_STAYS = 0.5
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class ContextItem:
    """A snippet of a prompt.

    Attributes:
        file: where it is from.
        reason: why it is there, for people.
        score: how much it is likely to help, between 0 and about 1.
        tokens: about how many it takes.
        symbols: those whose stubs it consists of; empty for a piece of text.
    """

    snippet: Snippet
    file: Path
    reason: str
    score: float
    tokens: int
    symbols: tuple[Symbol, ...] = ()


def arrange(
    chosen: Sequence[Candidate], sources: Sources, budget_tokens: int, last: Sequence[ContextItem]
) -> tuple[ContextItem, ...]:
    """The items: first those of the last context that stay, as they were, then the rest, the most lasting first.

    The stubs of one file are one item, and so is each piece of text.
    """
    left = list(chosen)
    kept: list[ContextItem] = []
    names = {path: sources.workspace.relative(path) for path in {c.path for c in chosen}}
    for item in last:
        here = [c for c in left if names[c.path] == item.snippet.path and _is_in(c, item)]
        if here and len(here) >= _STAYS * len(item.symbols) and _still_true(item, here, sources):
            kept.append(item)
            left = [c for c in left if c not in here]
    # What stays may hold more than was chosen.
    room = budget_tokens - sum(item.tokens for item in kept)
    while left and sum(map(cost, left)) > room:
        left.pop()
    return (*kept, *_new_items(left, sources))


def _new_items(chosen: Sequence[Candidate], sources: Sources) -> Iterable[ContextItem]:
    stubs: dict[tuple[Kind, Path], list[Candidate]] = {}
    for candidate in chosen:
        if candidate.symbol:
            stubs.setdefault((candidate.kind, candidate.path), []).append(candidate)
    found = [(kind, _item(_rendered(group, sources), group, sources)) for (kind, _), group in stubs.items()]
    found += ((c.kind, _item(c.text, [c], sources)) for c in chosen if not c.symbol)
    # A model heeds most what stands nearest to the code that it writes.
    return (item for _, item in sorted(found, key=lambda pair: (pair[0], pair[1].score, pair[1].snippet.path)))


def _item(text: str, group: Sequence[Candidate], sources: Sources) -> ContextItem:
    snippet = Snippet.shown(sources.workspace.relative(group[0].path), text)
    tokens = estimated_tokens(f"{snippet.path}\n{snippet.text}")
    symbols = tuple(c.symbol for c in group if c.symbol)
    return ContextItem(snippet, group[0].path, _reason(group), max(c.score for c in group), tokens, symbols)


def _reason(group: Sequence[Candidate]) -> str:
    names: dict[str, list[str]] = {}
    for candidate in group:
        names.setdefault(candidate.reason, []).extend([candidate.symbol.name] if candidate.symbol else [])
    return "; ".join(
        f"{reason}: {', '.join(found[:_MOST_NAMED])}{' …' if len(found) > _MOST_NAMED else ''}" if found else reason
        for reason, found in names.items()
    )


def _rendered(group: Sequence[Candidate], sources: Sources) -> str:
    """The stubs of a file's symbols, within what they are members of."""
    path = group[0].path
    language = sources.workspace.language(path)
    symbols = {c.symbol for c in group if c.symbol}
    members = [s for s in symbols if s.container and not _has_containers(s, symbols)]
    containers = {part for s in members for part in (s.container or "").split(".")}
    around = {
        as_symbol(outer)
        for outer in (sources.symbols.symbols_in(path) if members else ())
        if outer.name in containers and any(outer.start <= s.start and s.end <= outer.end for s in members)
    }
    # A symbol that is shown whole is in both, in two forms.
    places = {s.start for s in symbols}
    shown = sorted((*symbols, *(s for s in around if s.start not in places)), key=lambda s: (s.start, -s.end))
    return render(tuple(shown), language) if language else ""


def _has_containers(member: Symbol, symbols: Iterable[Symbol]) -> bool:
    around = sum(outer.start <= member.start and member.end <= outer.end for outer in symbols) - 1
    return around == (member.container or "").count(".") + 1


def _is_in(candidate: Candidate, item: ContextItem) -> bool:
    if candidate.symbol is None:
        return not item.symbols and masked(candidate.text) in item.snippet.text
    return any(_key(candidate.symbol) == _key(symbol) for symbol in item.symbols)


def _still_true(item: ContextItem, here: Sequence[Candidate], sources: Sources) -> bool:
    """Whether the symbols of an item are still as it shows them; those that ``here`` would show are."""
    if set(item.symbols) <= {c.symbol for c in here}:
        return True
    path = here[0].path
    wanted = {symbol.name for symbol in item.symbols}
    now = {_shown(s) for s in sources.symbols.symbols_in(path) if s.name in wanted}
    others = [s for s in item.symbols if _shown(s) not in now]
    # Those that are shown with their bodies.
    lines = _lines(sources.files.text(path, sources.workspace) or "") if others else set()
    return all("\n" in s.signature and _lines(s.signature) <= lines for s in others)


def _key(symbol: Symbol | IndexedSymbol) -> tuple[str, str | None]:
    return symbol.name, symbol.container


def _shown(symbol: Symbol | IndexedSymbol) -> tuple[str, str | None, str, str | None]:
    return symbol.name, symbol.container, symbol.signature, symbol.doc


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines()}
