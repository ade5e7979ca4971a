"""The actions, in the order in which a user sees them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Generic, TypeVar

from lsp_server.context.counterparts import is_test
from lsp_server.features.add_types import add_types, lacks_types
from lsp_server.features.docstring import (
    is_documented,
    undocumented,
    write_class_docstring,
    write_docstring,
    write_missing_docstrings,
)
from lsp_server.features.extract import can_extract, extract_function
from lsp_server.features.from_comment import LANGUAGES as FROM_COMMENTS
from lsp_server.features.from_comment import CommentTarget, find_comment, write_from_comment
from lsp_server.features.rename import has_unclear_variables, rename_variables
from lsp_server.features.simplify import optimise, simplify
from lsp_server.features.split import can_split, split
from lsp_server.features.to_async import can_become_async, to_async
from lsp_server.features.types import (
    ClassTarget,
    FileEdit,
    FileTarget,
    Selection,
    Target,
    Tools,
    find_class,
    find_file,
    find_target,
)
from lsp_server.features.unit_tests import write_class_tests, write_file_tests, write_unit_tests
from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.testing.frameworks import TESTED_LANGUAGES

T = TypeVar("T", Target, ClassTarget, FileTarget, CommentTarget)


@dataclass(frozen=True, slots=True)
class EditAction(Generic[T]):
    """An action whose result is a checked edit.

    Attributes:
        name: the command is ``shardlight.<name>``.
        title: names the target, for people.
        kind: the code action kind. ``source`` is for whole files: editors have a menu of its own for those.
        find: what it is done to, from a document, an offset in it, and the document's path; raises RefusedError if
            there is nothing.
        offered: whether it makes sense for a target; must be cheap.
    """

    name: str
    title: Callable[[T], str]
    kind: str
    find: Callable[[Snapshot, int, PurePosixPath], T]
    run: Callable[[T, Tools], Awaitable[FileEdit]]
    offered: Callable[[T], bool] = lambda _target: True


@dataclass(frozen=True, slots=True)
class SelectionAction:
    """An action on selected statements of a function whose result is a checked edit.

    Attributes:
        name, title, kind: as of an `EditAction`.
        offered: whether it makes sense for a selection that begins in a function at an offset; must be cheap.
    """

    name: str
    title: str
    kind: str
    run: Callable[[Selection, Tools], Awaitable[FileEdit]]
    offered: Callable[[Target, int], bool]


@dataclass(frozen=True, slots=True)
class CommandAction:
    """An action on a function whose result is shown, not applied: listed beside the others, run as a command."""

    name: str
    title: Callable[[Target], str]
    kind: str


def _has_docs(target: Target | ClassTarget | FileTarget) -> bool:
    return target.language.docs is not None


def _has_tests(target: Target | ClassTarget | FileTarget) -> bool:
    return target.language.id in TESTED_LANGUAGES and not is_test(Path(target.path))


def _docs_title(target: Target | ClassTarget) -> str:
    if target.scope.docstring_start is None:
        return f"Write documentation of {target.name}"
    return f"{'Rewrite' if is_documented(target) else 'Complete'} documentation of {target.name}"


# Any: each of them has its own kind of target.
EDIT_ACTIONS: tuple[EditAction[Any], ...] = (
    EditAction("docstring", _docs_title, "refactor.rewrite.docstring", find_target, write_docstring, _has_docs),
    EditAction(
        "classDocstring", _docs_title, "refactor.rewrite.docstring", find_class, write_class_docstring, _has_docs
    ),
    EditAction(
        "addTypes",
        lambda target: f"Add types to {target.name}",
        "refactor.rewrite.types",
        find_target,
        add_types,
        lacks_types,
    ),
    EditAction(
        "unitTests",
        lambda target: f"Write unit tests for {target.name}",
        "refactor.unitTests",
        find_target,
        write_unit_tests,
        _has_tests,
    ),
    EditAction(
        "classTests",
        lambda target: f"Write unit tests for {target.name}",
        "refactor.unitTests",
        find_class,
        write_class_tests,
        _has_tests,
    ),
    EditAction(
        "simplify", lambda target: f"Simplify {target.name}", "refactor.rewrite.simplify", find_target, simplify
    ),
    EditAction(
        "optimise", lambda target: f"Optimise {target.name}", "refactor.rewrite.optimise", find_target, optimise
    ),
    EditAction(
        "toAsync",
        lambda target: f"Make {target.name} async",
        "refactor.rewrite.async",
        find_target,
        to_async,
        can_become_async,
    ),
    EditAction("split", lambda target: f"Split {target.name}", "refactor.extract.split", find_target, split, can_split),
    EditAction(
        "renameVariables",
        lambda target: f"Rename variables of {target.name}",
        "refactor.rewrite.rename",
        find_target,
        rename_variables,
        has_unclear_variables,
    ),
    EditAction(
        "fromComment",
        lambda target: f"Write the {'query' if target.language.id == 'sql' else 'command'} for “{target.name}”",
        "refactor.rewrite.fromComment",
        find_comment,
        write_from_comment,
        lambda target: target.language.id in FROM_COMMENTS,
    ),
    EditAction(
        "fileTests",
        lambda target: f"Write unit tests for {target.name}",
        "source.shardlight.tests",
        find_file,
        write_file_tests,
        lambda target: (
            _has_tests(target) and any(not function.name.startswith("_") for function in functions(target.snapshot))
        ),
    ),
    EditAction(
        "missingDocstrings",
        lambda target: f"Write all missing documentation of {target.name}",
        "source.shardlight.docstrings",
        find_file,
        write_missing_docstrings,
        lambda target: _has_docs(target) and any(True for _ in undocumented(target.snapshot)),
    ),
)

SELECTION_ACTIONS: tuple[SelectionAction, ...] = (
    SelectionAction("extractFunction", "Extract a function", "refactor.extract", extract_function, can_extract),
)

COMMAND_ACTIONS: tuple[CommandAction, ...] = (
    CommandAction("explain", lambda target: f"Explain {target.name}", "shardlight.explain"),
    CommandAction("findBugs", lambda target: f"Find bugs in {target.name}", "shardlight.findBugs"),
)
