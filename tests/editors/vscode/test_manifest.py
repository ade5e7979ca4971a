"""What `package.json` promises, without starting anything."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.editors.vscode.conftest import EXTENSION


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    return loaded


def test_an_untrusted_workspace_chooses_no_program_and_no_model(manifest: dict[str, Any]) -> None:
    restricted = set(manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"])
    groups = manifest["contributes"]["configuration"]
    properties = {name: setting for group in groups for name, setting in group["properties"].items()}
    assert {name for name in properties if name.startswith(("shardlight.models.", "shardlight.engine."))} <= restricted
    assert "shardlight.server.path" in restricted
    # What is installed is no workspace's business, trusted or not.
    assert properties["shardlight.server.package"]["scope"] == "machine"


def test_every_command_of_the_menus_is_declared(manifest: dict[str, Any]) -> None:
    contributed = manifest["contributes"]
    declared = {command["command"] for command in contributed["commands"]}
    entries = [entry for menu in contributed["menus"].values() for entry in menu]
    named = {entry["command"] for entry in entries if "command" in entry}
    assert {name for name in named if name.startswith("shardlight.")} <= declared
    steps = " ".join(step["description"] for walk in contributed["walkthroughs"] for step in walk["steps"])
    assert set(re.findall(r"command:(shardlight\.\w+)", steps)) <= declared


def test_every_step_of_the_walkthrough_has_its_page(manifest: dict[str, Any]) -> None:
    for step in manifest["contributes"]["walkthroughs"][0]["steps"]:
        assert (EXTENSION / step["media"]["markdown"]).is_file()


def test_nothing_is_sent_and_it_runs_where_the_code_is(manifest: dict[str, Any]) -> None:
    assert manifest["extensionKind"] == ["workspace"]
    assert list(manifest["dependencies"]) == ["vscode-languageclient"]
