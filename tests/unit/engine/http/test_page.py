"""docs/engine.md says which endpoints there are, and which fields they read."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from lsp_server.engine import http
from lsp_server.engine.config import EngineConfig
from lsp_server.engine.http.app import create_app
from lsp_server.engine.http.refused import REFUSED
from lsp_server.engine.leases import Leases
from lsp_server.engine.sampling import SamplingParams
from lsp_server.engine.service import EngineService
from lsp_server.models.catalog import FimLayout
from tests.support.editor import REPOSITORY

PAGE = (REPOSITORY / "docs" / "engine.md").read_text("utf-8")
_READING = {"field", "number", "count", "texts", "_names"}


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)
    return found


def endpoints() -> Iterator[str]:
    service = EngineService(EngineConfig("small", Path("small.gguf"), 512, 0, 1), lambda _: FimLayout("prefix-first"))
    service.close()
    for route in create_app(service, "token", Leases(), lambda: None, lambda: None).routes:
        assert isinstance(route, Route)
        for method in {*(route.methods or ())} - {"HEAD"}:
            yield f"{method} {route.path.replace(':path', '')}"


def fields_read() -> Iterator[str]:
    """The names that the modules of the wire read from a body, as they stand in the code."""
    for module in sorted(Path(http.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[_, ast.Constant(value=str(read)), *_]) if name in _READING:
                    yield read
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="body"), attr="get"), args=[ast.Constant(str(read))]
                ):
                    yield read
    yield from (declared.name for declared in fields(SamplingParams))


FIELDS = sorted({*fields_read()} - {"type", "role", "content", "text", "filename", "of"})


def test_the_endpoints_are_those_of_the_page() -> None:
    assert sorted(re.findall(r"`((?:GET|POST) /[^`]*)`", section("Endpoints"))) == sorted(endpoints())


def test_what_is_read() -> None:
    assert {"prompt", "stop", "response_format", "include_usage", "with_pieces", "tokens", "top_k"} < {*FIELDS}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_is_read_is_named(name: str) -> None:
    assert f"`{name}`" in section("Fields") + section("Endpoints")


@pytest.mark.parametrize("declared", fields(SamplingParams), ids=lambda declared: declared.name)
def test_the_defaults_are_those_of_the_page(declared: Field[Any]) -> None:
    if isinstance(declared.default, (int, float)) and declared.default is not False:
        assert f"`{declared.name}` {declared.default:g}" in section("Fields")


@pytest.mark.parametrize("name", REFUSED)
def test_a_field_that_is_refused_is_named_with_what_is_fine(name: str) -> None:
    (fine,) = re.findall(rf"^\| [^|]*`{name}`[^|]* \|(.*)\|$", section("Fields"), re.MULTILINE)

    assert re.findall("`(.*?)`", fine) == [json.dumps(value) for value in REFUSED[name]]


def test_what_changes_nothing_is_not_read() -> None:
    (words,) = re.findall(r"^Changes nothing here: (.*?)\n\n", section("Fields"), re.DOTALL | re.MULTILINE)

    assert not {*re.findall("`(.*?)`", words)} & {*FIELDS, *REFUSED}
