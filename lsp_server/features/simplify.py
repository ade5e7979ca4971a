"""A simpler function with the same behaviour."""

from __future__ import annotations

from lsp_server.errors import RefusedError
from lsp_server.features.rewriting import rewrite
from lsp_server.features.types import FileEdit, Target, Tools
from lsp_server.text.edits import TextEdit


async def simplify(target: Target, tools: Tools) -> FileEdit:
    """Rewrite the function more simply.

    Raises:
        RefusedError: nothing simpler came out, or it failed a check.
    """
    name = target.scope.name
    edit, timings = await rewrite("simplify", target, tools, phase=f"Simplifying {name}")
    if edit is None or _weight(edit, target) >= 0:
        raise RefusedError(f"The model found nothing to simplify in {name}.")
    return FileEdit(f"Simplify {name}", (edit,), timings=timings)


def _weight(edit: TextEdit, target: Target) -> int:
    """How many characters that are not blank the rewriting adds; a simplification takes some away."""
    before = target.snapshot.text[edit.start : edit.end]
    return len("".join(edit.new_text.split())) - len("".join(before.split()))
