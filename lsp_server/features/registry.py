"""The actions on a function, in the order in which a user sees them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lsp_server.features.docstring import write_docstring
from lsp_server.features.simplify import simplify
from lsp_server.features.types import FileEdit, Target, Tools
from lsp_server.features.unit_tests import write_unit_tests


@dataclass(frozen=True, slots=True)
class EditAction:
    """An action whose result is a checked edit.

    Attributes:
        name: the command is ``shardlight.<name>``.
        title: with ``{name}`` for the function.
        kind: the code action kind. Not ``source``: editors leave those out of the menu at the cursor.
        offered: whether it makes sense for a target; must be cheap.
    """

    name: str
    title: str
    kind: str
    run: Callable[[Target, Tools], Awaitable[FileEdit]]
    offered: Callable[[Target], bool] = lambda _target: True


@dataclass(frozen=True, slots=True)
class CommandAction:
    """An action whose result is shown, not applied: listed beside the others, run as a command."""

    name: str
    title: str
    kind: str


EDIT_ACTIONS: tuple[EditAction, ...] = (
    EditAction(
        "docstring",
        "Write documentation for {name}",
        "refactor.rewrite.docstring",
        write_docstring,
        lambda target: target.language.docs is not None,
    ),
    EditAction(
        "unitTests",
        "Write unit tests for {name}",
        "refactor.unitTests",
        write_unit_tests,
        lambda target: target.language.id == "python",
    ),
    EditAction("simplify", "Simplify {name}", "refactor.rewrite.simplify", simplify),
)

COMMAND_ACTIONS: tuple[CommandAction, ...] = (
    CommandAction("explain", "Explain {name}", "shardlight.explain"),
    CommandAction("findBugs", "Find bugs in {name}", "shardlight.findBugs"),
)
