"""What goes into a completion prompt besides the window around the cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from lsp_server.context import passages
from lsp_server.context.candidates import Sources
from lsp_server.context.items import ContextItem, arrange
from lsp_server.context.ranking import choose, with_bodies
from lsp_server.context.spot import Spot
from lsp_server.context.symbols import Remembered
from lsp_server.context.used_symbols import used_symbols

# `recent`: only the chunks lately viewed and edited.
Mode = Literal["off", "recent", "full"]


def retrieve(
    spot: Spot, sources: Sources, *, budget_tokens: int, mode: Mode = "full", last: tuple[ContextItem, ...] = ()
) -> tuple[ContextItem, ...]:
    """The context of a spot, the most lasting first, within about ``budget_tokens``.

    Files are read through the workspace alone, and nothing is shown of what it withholds.

    Args:
        last: the context before; what still belongs of it comes first, in the same order and text.
    """
    if mode == "off":
        return ()
    workspace = sources.workspace.for_one_search()
    sources = replace(sources, workspace=workspace, symbols=Remembered(sources.symbols))
    latest = sources.recent.latest()
    candidates = passages.recent(spot, latest, budget_tokens)
    if mode == "full" and spot.path.is_absolute():
        targets = [found.target for found in sources.symbols.imports_of(spot.path) if found.target]
        linked = list(dict.fromkeys((*sources.symbols.importers_of(spot.path), *targets)))
        candidates += used_symbols(spot, sources)
        candidates += passages.similar(spot, sources, [*(chunk.path for chunk in latest), *linked])
        candidates += passages.of_the_counterpart(spot, sources, linked)
    # The index may be older than what is excluded.
    chosen = [c for c in choose(candidates, budget_tokens) if c.path == spot.path or not workspace.withholds(c.path)]
    return arrange(with_bodies(chosen, sources.texts(spot), budget_tokens), sources, budget_tokens, last)
