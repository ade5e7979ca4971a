"""Asking one source after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from lsp_server.errors import ModelError, SourceUnavailableError, UnknownModelError
from lsp_server.models.reference import CatalogRef, HubRef
from lsp_server.models.sources import Source

_Answer = TypeVar("_Answer")


def ask_in_turn(
    sources: Sequence[Source],
    ref: CatalogRef | HubRef,
    ask: Callable[[Source], _Answer],
    what: str,
    hint: str = "",
) -> _Answer:
    """The answer of the first source that has one.

    Args:
        what: what cannot be done with the model if none has, as "downloaded".
        hint: what may help then, besides the sources' own hints.

    Raises:
        UnknownModelError: there is one source to ask, and it has no such model.
        SourceUnavailableError: no source has an answer; the message names each and its reason.
        ModelError: any other that a source has raised.
    """
    failures: list[tuple[str, ModelError]] = []
    for source in sources:
        if not source.offers(ref):
            continue
        try:
            return ask(source)
        except (SourceUnavailableError, UnknownModelError) as error:
            failures.append((source.name, error))
    if len(failures) == 1 and isinstance(failures[0][1], UnknownModelError):
        raise failures[0][1]
    reasons = " ".join(f"{name}: {error.message}" for name, error in failures) or "No source offers it."
    hints = [*(error.hint for _, error in failures), hint]
    raise SourceUnavailableError(f"{ref.id} cannot be {what}. {reasons}", hint=" ".join(filter(None, hints)))
