from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

from lsp_server.settings.documentation import settings_markdown, settings_schema
from lsp_server.settings.resolve import resolve
from lsp_server.settings.schema import Settings


def declared() -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    """(section, field) of every setting."""
    for section in dataclasses.fields(Settings):
        for setting in dataclasses.fields(getattr(Settings(), section.name)):
            yield section.name, setting


EVERY = [pytest.param(section, setting, id=f"{section}.{setting.name}") for section, setting in declared()]
JSON_TYPES = {bool: "boolean", int: "integer", str: "string", tuple: "array"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(settings_schema())


@pytest.mark.parametrize(("section", "setting"), EVERY)
def test_the_schema_has_every_setting(schema: dict[str, Any], section: str, setting: dataclasses.Field[Any]) -> None:
    described = schema["properties"][section]["properties"][setting.name]

    kind = JSON_TYPES[type(setting.default)]
    assert described["type"] == ([kind, "string"] if setting.metadata["or_text"] else kind)
    assert described["description"] == setting.metadata["description"]
    assert described.get("minimum") == setting.metadata["minimum"]
    assert described.get("maximum") == setting.metadata["maximum"]


def test_the_schema_has_nothing_else(schema: dict[str, Any]) -> None:
    listed = {(section, name) for section, group in schema["properties"].items() for name in group["properties"]}

    assert listed == {(section, setting.name) for section, setting in declared()}
    assert schema["additionalProperties"] is False
    assert all(group["additionalProperties"] is False for group in schema["properties"].values())


def test_the_schemas_defaults_are_accepted_as_options_and_change_nothing(schema: dict[str, Any]) -> None:
    options = {
        section: {name: described["default"] for name, described in group["properties"].items()}
        for section, group in schema["properties"].items()
    }

    resolution = resolve(options)

    assert resolution.problems == ()
    assert resolution.settings == Settings()


@pytest.mark.parametrize(("section", "setting"), EVERY)
def test_the_page_has_a_row_for_every_setting(section: str, setting: dataclasses.Field[Any]) -> None:
    rows = [line for line in settings_markdown().splitlines() if line.startswith(f"| `{section}.{setting.name}` |")]

    assert len(rows) == 1
    assert setting.metadata["description"] in rows[0]
    # Three cells: a stray bar in a description would break the table.
    assert rows[0].count("|") == 4


def test_the_page_has_a_heading_for_every_section() -> None:
    headings = [line.removeprefix("## ") for line in settings_markdown().splitlines() if line.startswith("## ")]

    assert headings == [*(section.name for section in dataclasses.fields(Settings)), "In the environment"]
