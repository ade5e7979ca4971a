"""The blocks that are no commands can be read by what they are for, and name settings that there are."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

import pytest

from lsp_server.models.hardware import parse_profile
from lsp_server.settings.resolve import resolve
from lsp_server.settings.schema import Settings
from lsp_server.syntax.checks import has_error
from lsp_server.syntax.snapshot import Snapshot
from tests.docs.blocks import PAGES, Block, blocks
from tests.support.editor import REPOSITORY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# How a setting is written in languages that are no data: a group, and what is in it, up to the closing bracket.
_GROUPS = {
    "lua": r"\b(\w+)\s*=\s*\{([^{}]*)\}",
    "vim": r"\b(\w+): #\{([^{}]*)\}",
    "elisp": r":(\w+) \((:[^()]*)\)",
}
_NAMES = {"lua": r"(\w+)\s*=", "vim": r"(\w+): ", "elisp": r":(\w+)"}
# Read by a grammar, or by what tests/editors has read it: `documented.block` takes it out of the page.
_GRAMMARS = {"lua": "lua", "rust": "rust"}
_DRIVEN = {"elisp": "tests/editors/emacs", "vim": "tests/editors/vim"}
_NO_CODE = ("text", "nginx", "Dockerfile")

ALL = blocks()
SECTIONS = get_type_hints(Settings)


def _in(*languages: str) -> list[Block]:
    return [block for block in ALL if block.language in languages]


def _named_settings(data: Any) -> Iterator[Mapping[str, Any]]:
    """What stands under ``settings`` anywhere in data."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key == "settings" and isinstance(value, Mapping):
                yield value
            else:
                yield from _named_settings(value)
    elif isinstance(data, list):
        for one in data:
            yield from _named_settings(one)


def test_every_language_is_read_here_or_in_the_test_of_commands() -> None:
    known = {"sh", "vim command", "toml", "json", "python", *_GRAMMARS, *_DRIVEN, *_NO_CODE}

    assert {block.language for block in ALL} - {""} <= known


@pytest.mark.parametrize("block", _in("toml", "json"), ids=lambda block: block.place)
def test_data_is_read_and_its_settings_are_there(block: Block) -> None:
    data = tomllib.loads(block.text) if block.language == "toml" else json.loads(block.text)

    options = [*_named_settings(data)]
    if data.keys() <= SECTIONS.keys():
        options.append(data)
    elif "cpu" in data:
        assert parse_profile(block.text, block.place).name == data["name"]
    assert [resolve(one).problems for one in options] == [()] * len(options)


@pytest.mark.parametrize("block", _in(*_GROUPS), ids=lambda block: block.place)
def test_settings_in_code_are_there(block: Block) -> None:
    behind = re.split(r"\bsettings\b", block.text, maxsplit=1)[1:]
    found = re.findall(_GROUPS[block.language], "".join(behind))
    assert bool(found) is bool(behind)
    for group, body in found:
        assert group in SECTIONS
        assert set(re.findall(_NAMES[block.language], body)) <= get_type_hints(SECTIONS[group]).keys()


@pytest.mark.parametrize("block", _in(*_GRAMMARS), ids=lambda block: block.place)
def test_code_has_no_syntax_error(block: Block) -> None:
    snapshot = Snapshot.open(block.text, _GRAMMARS[block.language])

    assert snapshot.tree
    assert not has_error(snapshot)


@pytest.mark.parametrize("block", _in("python"), ids=lambda block: block.place)
def test_python_is_python(block: Block) -> None:
    ast.parse(block.text)


@pytest.mark.parametrize("block", _in("vim command"), ids=lambda block: block.place)
def test_commands_of_the_neovim_plugin_are_there(block: Block) -> None:
    plugin = REPOSITORY / "editors/neovim/lua/shardlight"
    lua = "".join((plugin / name).read_text(encoding="utf-8") for name in ("actions.lua", "command.lua"))
    for line in block.text.splitlines():
        command = re.match(r":(?:'<,'>)?Shardlight (\w+)", line)
        assert command, line
        assert re.search(rf"\b{command[1]}\b", lua), line


def test_settings_in_texts_are_there() -> None:
    found = []
    for page in PAGES:
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        found += [(page, *match) for match in re.findall(rf"`({'|'.join(SECTIONS)})\.([a-z_]+)\b", text)]

    assert len(found) > 30
    assert [
        (page, section, name)
        for page, section, name in found
        if name not in get_type_hints(SECTIONS[section]) and name != "md"  # a page
    ] == []


def test_environment_variables_in_texts_are_settings() -> None:
    found = []
    for page in PAGES:
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        found += [(page, *match) for match in re.findall(r"\bSHARDLIGHT_([A-Z_]+?)__([A-Z_]+)\b", text)]

    assert found
    assert [
        (page, section, name)
        for page, section, name in found
        if name.lower() not in get_type_hints(SECTIONS[section.lower()])
    ] == []
