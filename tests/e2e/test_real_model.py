"""The same server with a real engine and the small real model: what it says is the model's, that it works is ours."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import dataclasses
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from lsp_server.engine import runtime
from lsp_server.inference.launcher import EngineSpec
from tests.support.editor import Editor, quit_editor, start, vscode
from tests.support.engine import RunningEngine, engine_spec, stop
from tests.support.time import until

pytestmark = [pytest.mark.real_model, pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")]

MEAN = '''def mean(values: list[float]) -> float:
    """Return the arithmetic mean; 0 for no values."""
    if not values:
        return 0.0
    <|>


print(mean([1.0, 2.0]))
'''
COUNT = """def count(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts<|>
"""
AREA = "def area(width: float, height: float) -> float:\n    return width * <|>height\n"


def settings_for(spec: EngineSpec) -> dict[str, Any]:
    """Settings that lead to that engine for both roles."""
    models = {"completion": str(spec.model_path), "assistant": str(spec.model_path)}
    return {"models": models, "engine": {"n_ctx": spec.n_ctx, "n_gpu_layers": spec.n_gpu_layers}}


@contextlib.asynccontextmanager
async def editor_on(spec: EngineSpec, root: Path) -> AsyncIterator[Editor]:
    """An editor whose server uses that engine."""
    editor = await start(["-m", "lsp_server", "serve"])
    editor.patience_s = 300.0
    await editor.initialize(vscode(), root, {"trusted": True, "settings": settings_for(spec)})
    try:
        yield editor
    finally:
        await quit_editor(editor)


@pytest_asyncio.fixture
async def editor(engine: RunningEngine, root: Path) -> AsyncIterator[Editor]:
    """An editor on the engine that all tests share."""
    async with editor_on(engine.spec, root) as editor:
        yield editor


@pytest_asyncio.fixture
async def own_spec(small_model: Path) -> AsyncIterator[EngineSpec]:
    """An engine that no other test uses, and that does not run yet."""
    spec = dataclasses.replace(engine_spec(small_model), n_ctx=1024)
    yield spec
    await stop(spec)


async def test_completion(editor: Editor, root: Path) -> None:
    uri, position = editor.open(root / "stats.py", MEAN)
    item, *others = await editor.complete(uri, position)
    assert item not in others
    assert isinstance(item.insert_text, str)
    editor.type(uri, position, item.insert_text)
    assert "values" in item.insert_text
    ast.parse(editor.texts[uri])


async def test_behind_a_dot_stands_what_the_workspace_has(editor: Editor, root: Path) -> None:
    (root / "animals.py").write_text("class Pen:\n    def quetzal_count(self): ...\n    axolotl: int = 3\n")
    query = lsp.WorkspaceSymbolParams("quetzal_count")
    while not await editor.request(editor.client.workspace_symbol_async(query)):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    text = "from animals import Pen\n\npen = Pen()\nprint(pen.<|>)\n"
    item, *_ = await editor.complete(*editor.open(root / "main.py", text), invoked=False)
    assert isinstance(item.insert_text, str)
    assert item.insert_text.startswith(("quetzal_count", "axolotl"))


async def test_docstring(editor: Editor, root: Path) -> None:
    uri, position = editor.open(root / "shapes.py", AREA)
    await editor.command("docstring", uri, position)
    (function,) = ast.parse(editor.texts[uri]).body
    assert isinstance(function, ast.FunctionDef)
    documentation = ast.get_docstring(function) or ""
    assert all(part in documentation for part in ("Args:", "width: ", "height: ", "Returns:"))


async def test_all_that_is_not_documented_in_a_file(editor: Editor, root: Path) -> None:
    shape = "class Shape:\n    def grow(self, by):\n        self.size = self.size + by\n\n\n"
    uri, position = editor.open(root / "all.py", f"{shape}def area(w, h):\n    return w * h<|>\n")
    await editor.command("missingDocstrings", uri, position)
    tree = ast.parse(editor.texts[uri])
    documented = [node for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
    assert len(documented) == 4
    assert all(ast.get_docstring(node) for node in documented)


async def test_types(editor: Editor, root: Path) -> None:
    uri, position = editor.open(root / "typed.py", "def parse(text, base=10):\n    return int(text, base)<|>\n")
    await editor.command("addTypes", uri, position)
    assert ", base: int = 10)" in editor.texts[uri]
    ast.parse(editor.texts[uri])


LEVEL = '''def level(percent):
    """Say how full it is.

    >>> level(40)
    'low'
    """
    <|>if percent > 100:
        raise ValueError("too much")
    if percent > 50:
        return "high"
    return "low"
'''


async def test_unit_tests_that_notice_something(editor: Editor, root: Path) -> None:
    (root / "tank.py").write_text(LEVEL.replace("<|>", ""), encoding="utf-8")
    answer = await editor.command("unitTests", *editor.open(root / "tank.py", LEVEL))
    text = (root / "test_tank.py").read_text(encoding="utf-8")
    assert "from tank import level\n" in text
    ast.parse(text)
    # Whatever the model says, what the documentation calls was tried out, with values around those in the code.
    (noticed,) = re.findall(r"They notice (\d+) of 7 small changes", answer["notes"][0])
    assert int(noticed) >= 4


async def test_a_long_function_is_split(editor: Editor, root: Path) -> None:
    loop = "    {0} = 0\n    for one in numbers:\n        if one % {1}:\n            {0} += one\n        {0} += {1}\n"
    loops = loop.format("odd", 2) + loop.format("rest", 3)
    source = f"def sums(numbers):\n    <|>print(numbers)\n{loops}    return odd, rest\n"
    uri, position = editor.open(root / "sums.py", source)
    answer = await editor.command("split", uri, position)
    assert answer["title"] == "Split sums"
    written = ast.parse(editor.texts[uri])
    assert len(written.body) >= 2
    before, after = {}, {}  # type: ignore[var-annotated]
    exec(source.replace("<|>", ""), before)  # noqa: S102
    exec(compile(written, "sums.py", "exec"), after)  # noqa: S102
    assert before["sums"]([1, 2, 3, 6]) == after["sums"]([1, 2, 3, 6])


async def test_code_is_changed_as_the_user_says(editor: Editor, root: Path) -> None:
    uri, position = editor.open(root / "edited.py", COUNT)
    before = editor.texts[uri]
    where = {"line": position.line, "character": position.character}
    argument = {"uri": uri, "range": {"start": where, "end": where}, "instruction": "use collections.Counter"}
    params = lsp.ExecuteCommandParams("shardlight.edit", arguments=[argument])
    refused = ""
    try:
        await editor.request(editor.client.workspace_execute_command_async(params))
    except JsonRpcException as error:
        refused = error.message
    # Either is right: what such a model makes of it is its own.
    assert (editor.texts[uri] == before) == ("cannot be used" in refused)
    ast.parse(editor.texts[uri])


async def test_a_query_from_its_comment(editor: Editor, root: Path) -> None:
    table = "CREATE TABLE users (id INTEGER, name TEXT);\n\n"
    uri, position = editor.open(root / "a.sql", f"{table}-- the names of all<|> users\n", "sql")
    await editor.command("fromComment", uri, position)
    below = editor.texts[uri].removeprefix(f"{table}-- the names of all users\n")
    assert "name" in below
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.executescript(table + below)


async def test_what_a_tool_says_is_explained(editor: Editor, root: Path) -> None:
    uri, position = editor.open(root / "said.py", "def last(items):\n    return items[len(items)]<|>\n")
    where = {"line": position.line, "character": position.character}
    argument = {"uri": uri, "range": {"start": where, "end": where}, "problem": "list index out of range"}
    params = lsp.ExecuteCommandParams("shardlight.explain", arguments=[argument])
    answer = await editor.request(editor.client.workspace_execute_command_async(params))
    assert answer["markdown"].startswith("### list index out of range\n\nThis means ")


async def test_explain(editor: Editor, root: Path) -> None:
    answer = await editor.command("explain", *editor.open(root / "shapes.py", AREA))
    assert "`area`" in answer["markdown"]
    assert len(answer["markdown"].split()) > 10


TOTAL = """\
def total(prices, rate):
    summed = 0
    for price in prices:
        summed += <|>prices * rate
    return summed
"""


async def test_a_bug_is_found_and_mended(editor: Editor, root: Path) -> None:
    uri, position = editor.open(root / "bug.py", TOTAL)
    assert await editor.command("findBugs", uri, position) == {"count": 1}
    await until(lambda: editor.client.diagnostics.get(uri))
    (hint,) = editor.client.diagnostics[uri]
    assert hint.message == "Possible bug: `prices` here, where `price` would be expected."
    fix = (await editor.actions(uri, position, [lsp.CodeActionKind.QuickFix]))[0]
    assert fix.edit
    editor.apply(fix.edit)
    assert "summed += price * rate" in editor.texts[uri]
    assert await editor.command("findBugs", uri, position) == {"count": 0}


async def test_a_request_while_the_model_loads_is_answered(own_spec: EngineSpec, root: Path) -> None:
    async with editor_on(own_spec, root) as editor:
        uri, position = editor.open(root / "stats.py", MEAN)
        assert len(await editor.complete(uri, position, invoked=False)) == 1
        titles = [r.title for reports in editor.client.progress_reports.values() for r in reports[:1] if is_begin(r)]
        assert titles
        assert all(title.startswith("Loading ") for title in titles)


def is_begin(report: object) -> bool:
    return isinstance(report, lsp.WorkDoneProgressBegin)


async def test_an_engine_that_is_killed_fails_one_request_at_most(own_spec: EngineSpec, root: Path) -> None:
    async with editor_on(own_spec, root) as editor:
        uri, position = editor.open(root / "shapes.py", AREA)
        running = asyncio.create_task(editor.command("explain", uri, position))
        await until(lambda: reported(editor, "Explaining area"), editor.patience_s)
        record = runtime.read(own_spec.name)
        assert record
        psutil.Process(record.pid).kill()
        try:
            assert "`area`" in (await running)["markdown"]
        except JsonRpcException as error:
            assert "engine" in error.message  # noqa: PT017 - either way is right: retried in time, or said
        answer = await editor.command("explain", uri, position)
        assert "`area`" in answer["markdown"]


def reported(editor: Editor, words: str) -> bool:
    """Whether some progress display has said that."""
    reports = [report for reports in editor.client.progress_reports.values() for report in reports]
    return any(words in (getattr(report, "message", None) or "") for report in reports)
