"""What the index answers with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class IndexedSymbol:
    """Something that a file of the workspace offers; the fields of ``syntax.outline.Symbol`` and where it is.

    Attributes:
        name: its own name, without a container's.
        kind: as in ``Symbol``.
        container: the classes around it, joined by dots.
        path: its file, absolute.
        start, end: offsets in code points, decorators included, documentation above excluded.
        line: the line of ``start``, from 0.
        signature: as in ``Symbol``.
        doc: the documentation's first line.
    """

    name: str
    kind: str
    container: str | None
    path: Path
    start: int
    end: int
    line: int
    signature: str
    doc: str | None = None

    @property
    def dotted(self) -> str:
        """Its name behind those of the classes around it: what the container of its members is."""
        return f"{self.container}.{self.name}" if self.container else self.name


@dataclass(frozen=True, slots=True)
class ResolvedImport:
    """One file that an import means; an import of several (``from package import a, b``) is several of these.

    Attributes:
        module: as it is written; see ``syntax.imports.Import``.
        names: what is taken from ``target`` by name; empty for all of it.
        level: how many leading dots a relative Python import has.
        target: the file, absolute; None for what is outside the workspace or cannot be told.
        aliases: the other names that things have here, as they are written; see ``syntax.imports.Import``.
    """

    module: str
    names: tuple[str, ...]
    level: int
    target: Path | None
    aliases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the index is, all workspace folders together.

    Attributes:
        files, symbols: what can be asked for now.
        building: whether it is being brought up to date.
        done, total: files that this takes; 0 until they are counted.
    """

    files: int = 0
    symbols: int = 0
    building: bool = False
    done: int = 0
    total: int = 0
