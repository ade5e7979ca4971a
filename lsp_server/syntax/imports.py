"""What a file takes from other modules."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.syntax.queries import matches
from lsp_server.syntax.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module.

    Attributes:
        module: as it is written, without quotes, brackets and a relative import's leading dots.
        names: what is taken from it by name, under its name there; ``*`` for everything.
        level: how many leading dots a relative Python import has.
    """

    module: str
    names: tuple[str, ...] = ()
    level: int = 0


def imports(snapshot: Snapshot) -> tuple[Import, ...]:
    """The imports of a file, wherever in it they stand, in source order; none for a language without a query."""
    return snapshot.derived(_imports)


def _imports(snapshot: Snapshot) -> tuple[Import, ...]:
    modules: dict[int, tuple[str, int]] = {}
    names: dict[int, list[tuple[int, str]]] = {}
    for match in matches(snapshot, "imports"):
        node = (match.get("module") or match["relative"])[0]
        written = snapshot.source(node).strip("\"'`<> ")
        module = written.lstrip(".") if "relative" in match else written
        modules[node.start_byte] = module, len(written) - len(module)
        taken = names.setdefault(node.start_byte, [])
        taken += ((name.start_byte, snapshot.source(name)) for name in match.get("name", ()))
    return tuple(
        Import(module, tuple(name for _, name in sorted(set(names[place]))), level)
        for place, (module, level) in sorted(modules.items())
    )
