"""What the reference and the map say is held against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lsp_server.features.registry import COMMAND_ACTIONS, EDIT_ACTIONS, SELECTION_ACTIONS
from lsp_server.server.app import create_server
from lsp_server.server.handlers.actions import command_name
from lsp_server.settings import sources
from tests.support.editor import REPOSITORY

REFERENCE = (REPOSITORY / "docs" / "lsp.md").read_text(encoding="utf-8")
MAP = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGE = REPOSITORY / "lsp_server"
PACKAGES = sorted(path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("__init__.py"))
# What is in backticks like a module, and is none.
_NO_MODULES = frozenset({"shardlight"})
# Every server has it.
_LIFECYCLE = frozenset({"initialize", "initialized", "shutdown"})


def _rows(text: str) -> list[tuple[str, str]]:
    """The first two cells of tables' rows that begin with code."""
    return re.findall(r"^\| (`[^|\n]*`[^|\n]*) \|([^|\n]*)", text, re.MULTILINE)


def _part(title: str) -> str:
    """What stands below a heading of the map."""
    return re.split(r"^## ", MAP.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_each_command_and_method_of_the_server_is_in_the_reference() -> None:
    registered = create_server(sources.load, lambda *_: pytest.fail("no model is needed")).protocol.fm
    methods = {re.sub(r"^notebookDocument/.*", "notebookDocument/*", method) for method in registered.features}

    assert len(registered.commands) > 20
    assert [name for name in (*registered.commands, *methods - _LIFECYCLE) if f"`{name}`" not in REFERENCE] == []


def test_each_action_is_in_the_reference() -> None:
    actions = [action.name for action in (*EDIT_ACTIONS, *SELECTION_ACTIONS, *COMMAND_ACTIONS)]

    assert [name for name in map(command_name, actions) if f"`{name}`" not in REFERENCE] == []


def test_each_command_of_the_reference_is_there() -> None:
    registered = create_server(sources.load, lambda *_: pytest.fail("no model is needed")).protocol.fm
    table = REFERENCE.split("## Commands\n", 1)[1]
    named = {name for cell, _ in _rows(table) for name in re.findall(r"`(shardlight\.\w+)`", cell)}

    assert named == {*registered.commands}


@pytest.mark.parametrize("package", [package for package in PACKAGES if package != "."])
def test_each_package_is_on_the_map(package: str) -> None:
    assert re.search(rf"\b{re.escape(package.rpartition('/')[2])}\b", MAP)
    if "/" not in package:
        assert f"| `{package}/` |" in MAP


@pytest.mark.parametrize(("cell", "text"), _rows(_part("The parts")), ids=lambda cell: cell[:20])
def test_what_the_map_names_is_there(cell: str, text: str) -> None:
    name = cell.strip("`").rstrip("/")
    folder = PACKAGE / name if (PACKAGE / name).exists() else REPOSITORY / name
    assert folder.exists()
    modules = {path.stem for path in folder.rglob("*") if path.name != "__pycache__"}

    named = {module.rstrip("/").rpartition("/")[2] for module in re.findall(r"`([a-z_/]+)`", text)}

    assert named - modules - _NO_MODULES - {path.name for path in REPOSITORY.glob("tests/*")} == set()


def test_files_that_the_map_names_are_there() -> None:
    known = {path.relative_to(REPOSITORY).as_posix() for path in _files("lsp_server", "tests", "tools", "benchmarks")}
    named = set(re.findall(r"`([\w/]+\.(?:py|toml))`", MAP))

    assert len(named) > 20
    assert [name for name in named if not any(file.endswith(f"/{name}") or file == name for file in known)] == []


@pytest.mark.parametrize(
    ("title", "folder"),
    [("The VS Code extension", "editors/vscode/src"), ("The Neovim plugin", "editors/neovim/lua/shardlight")],
)
def test_each_module_of_the_plugins_is_on_the_map(title: str, folder: str) -> None:
    there = {path.stem for path in (REPOSITORY / folder).iterdir()} - {"version"}  # which is generated
    text = _part(title)
    in_rows = {name.rstrip("/") for cell, _ in _rows(text) for name in re.findall(r"`([\w/]+)`", cell)}

    assert in_rows - there == set()
    assert [name for name in there if f"`{name}`" not in text and f"`{name}/`" not in text] == []


def _files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (REPOSITORY / folder).rglob("*.*")] + [REPOSITORY / "pyproject.toml"]
