"""Where context is wanted, and what of the document the prompt shows anyway."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lsp_server.context.window import window
from lsp_server.syntax.around import Enclosing, enclosing
from lsp_server.syntax.snapshot import Snapshot


@dataclass(frozen=True)
class Spot:
    """A place in a document.

    Attributes:
        offset: of the cursor, in code points.
        path: of the document's file, absolute; a document without a file has a bare name.
    """

    snapshot: Snapshot
    offset: int
    path: Path

    @cached_property
    def around(self) -> tuple[Enclosing, ...]:
        """The functions and classes around the cursor, the innermost first."""
        return enclosing(self.snapshot, self.offset)

    @cached_property
    def functions(self) -> tuple[Enclosing, ...]:
        """Those of them that are functions."""
        return tuple(scope for scope in self.around if not is_class(scope.kind))

    @cached_property
    def shown(self) -> tuple[int, int]:
        """Start and end of what the window shows of the document."""
        around = window(self.snapshot.lines, self.offset)
        return self.offset - len(around.prefix), self.offset + len(around.suffix)

    @cached_property
    def own_class(self) -> str | None:
        """The class around the cursor as its members name it; of a Go method and the like the type it belongs to."""
        for scope in self.around:
            if is_class(scope.kind):
                return f"{scope.class_name}.{scope.name}" if scope.class_name else scope.name
            if scope.class_name:
                return scope.class_name
        return None


def is_class(kind: str) -> bool:
    """Whether a scope of this kind has members."""
    return kind not in ("function", "method")
