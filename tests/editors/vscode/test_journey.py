"""A day with the real model in VS Code: what it says is the model's, that it works is ours.

The steps share one engine, which no other test uses, since one of them kills it.
"""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from lsp_server.engine import crashes, runtime
from lsp_server.inference.launcher import EngineSpec
from tests.conftest import SMALL_MODEL
from tests.editors.journey import LEVEL, RATIO, TOTAL, assert_documented, assert_ratio_raises
from tests.editors.vscode.conftest import CodeServer
from tests.editors.vscode.workbench import Workbench
from tests.support.engine import engine_spec, stop

pytestmark = [pytest.mark.real_model, pytest.mark.asyncio(loop_scope="session")]

ASKED = "textDocument/inlineCompletion"
# The machine may be busy with other things.
PATIENCE_S = 120.0
# How it is to look on pictures. Those whose names begin with `vscode-` are the pictures in docs/pictures.
LOOK = {
    "editor.fontSize": 17,
    "editor.minimap.enabled": False,
    "editor.scrollBeyondLastLine": False,
    "editor.cursorBlinking": "solid",
    "breadcrumbs.enabled": False,
    "files.exclude": {"**/.vscode": True},
}
MEAN = '''def mean(values: list[float]) -> float:
    """Return the arithmetic mean; 0 for no values."""
    if not values:
        return 0.0
    <|>


print(mean([1.0, 2.0]))
'''
DISCOUNTED = """\
FREE = 0.0


def discounted(price: float, percent: float) -> float:
    if percent >= 100:
        return FREE
    return price * (1 - percent / 100)


print(discounted(20, 10))
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def spec(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EngineSpec]:
    """An engine that no other test uses, with the model where a store has it: its name is to be seen."""
    path = tmp_path_factory.mktemp("models") / SMALL_MODEL / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    path.parent.mkdir()
    path.symlink_to(small_model)
    spec = dataclasses.replace(engine_spec(path), n_ctx=4096)
    yield spec
    await stop(spec)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(code_server: CodeServer, spec: EngineSpec) -> AsyncIterator[Workbench]:
    """A window with the real server, which leads to that engine."""
    settings = code_server.base / "shop" / ".vscode" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(LOOK), encoding="utf-8")
    async with code_server.window("shop") as window:
        window.set(
            shardlight__models__directory=str(spec.model_path.parents[1]),
            shardlight__models__completion=SMALL_MODEL,
            shardlight__models__assistant=SMALL_MODEL,
            shardlight__engine__n_ctx=spec.n_ctx,
            shardlight__engine__n_gpu_layers=spec.n_gpu_layers,
        )
        window.page.patience_s = PATIENCE_S
        await window.serve({"real": True})
        await window.command("View: Toggle Primary Side Bar Visibility")
        yield window
        window.set()
        # With its server goes the last one who waits for the engine.
        await window.serve({})


@pytest_asyncio.fixture(loop_scope="session")
async def real(shop: Workbench) -> Workbench:
    """The same, with no editor open."""
    await shop.close_all()
    return shop


async def typed(window: Workbench, name: str) -> Path:
    """Something is typed into a new file that a suggestion could go on with."""
    before, _, after = MEAN.partition("<|>")
    path = await window.open(name, before + after)
    await window.go_to(5, 5)
    asked = len(await window.requests(ASKED))
    await window.page.type("return ")
    try:
        await window.requested(ASKED, asked + 1)
    except TimeoutError:
        # Where the focus was on its way still, VS Code has given up asking.
        await window.page.press("Backspace")
        await window.page.type(" ")
    return path


async def test_a_suggestion_comes_with_the_model_and_is_taken(real: Workbench) -> None:
    path = await typed(real, "stats.py")
    shown = await real.ghost_text(contains="values")
    await real.status(contains=f"Model: `{SMALL_MODEL}`")
    await real.picture("vscode-suggestion")
    await real.page.press("Control+ArrowRight")
    await real.lines(contains=f"return {shown[0]}")
    rest = await real.less_ghost_text(shown)
    assert ")" in rest
    assert shown.endswith(rest)
    assert rest != shown
    await real.picture("journey-suggestion-word")
    await real.page.press("Tab")
    await real.no_ghost_text()
    # The next one may be there already.
    await real.page.press("Escape")
    written = (await real.save(path)).decode()
    assert written == MEAN.replace("<|>", f"return {shown}")
    ast.parse(written)


async def test_documentation(real: Workbench) -> None:
    path = await real.open("prices.py", DISCOUNTED)
    await real.go_to(5, 5)
    await real.list_actions()
    await real.picture("journey-actions")
    await real.page.press("Escape")
    await real.act("Write documentation of discounted")
    await real.lines(contains="Returns:")
    await real.picture("vscode-documentation")
    assert_documented(DISCOUNTED, (await real.save(path)).decode(), "price", "percent")


async def test_unit_tests_into_a_new_file(real: Workbench) -> None:
    path = await real.open("stock.py", LEVEL)
    await real.go_to(7, 5)
    await real.command("Shardlight: Write unit tests for the function at the cursor")
    await real.status(contains="busy")
    await real.picture("journey-tests-busy")
    await real.in_view("test_stock.py")
    await real.message("They notice")
    await real.picture("vscode-unit-tests")
    written = (await real.save(real.folder / "test_stock.py")).decode()
    assert "from stock import level\n" in written
    assert "level(" in written
    ast.parse(written)
    assert path.read_text(encoding="utf-8") == LEVEL
    await real.clear()


async def test_a_bug_is_marked_and_mended(real: Workbench) -> None:
    path = await real.open("cart.py", TOTAL)
    await real.go_to(4, 20)
    await real.command("Shardlight: Find bugs in the function at the cursor")
    await real.elements(".squiggly-warning", 1)
    await real.list_actions()
    await real.picture("vscode-bug-hint")
    await real.click_on(".action-widget .monaco-list-row", "Fix: `summed += price * rate`")
    await real.lines(contains="summed += price * rate")
    await real.save(path, TOTAL.replace("prices * rate", "price * rate").encode())
    await real.page.until("!document.querySelector('.squiggly-warning')")


async def test_a_change_is_shown_and_applied(real: Workbench) -> None:
    path = await real.open("shares.py", RATIO)
    await real.go_to(5, 5)
    await real.command("Shardlight: Change the selected code, or the function at the cursor, as you say")
    await real.answer("raise ValueError if whole is zero")
    await real.preview()
    await real.lines(contains="raise ValueError")
    await real.picture("vscode-change-preview")
    assert path.read_text(encoding="utf-8") == RATIO
    await real.page.press("Control+Enter")
    await real.no_preview()
    await real.changed("shares.py")
    await real.picture("journey-applied")
    assert_ratio_raises((await real.save(path)).decode())


async def test_an_explanation(real: Workbench) -> None:
    await real.open("stock.py", LEVEL)
    await real.go_to(7, 5)
    await real.command("Shardlight: Explain the selected code, or the function at the cursor")
    assert len((await real.panel(contains="level")).split()) > 10
    await real.picture("journey-explanation")


def engines_of(*servers: int | None) -> list[int]:
    """The engines that these servers have started and that still run."""
    children = [child for server in servers for child in psutil.Process(server).children()]
    return [one.pid for one in children if "engine run" in " ".join(one.cmdline())]


async def test_two_windows_share_an_engine(real: Workbench, code_server: CodeServer, spec: EngineSpec) -> None:
    here = await typed(real, "here.py")
    await real.ghost_text(contains="values")
    async with code_server.window("second window") as second:
        second.page.patience_s = PATIENCE_S
        there = await typed(second, "there.py")
        await second.ghost_text(contains="values")
        await second.picture("journey-second-window")
        assert real.server_pid() != second.server_pid()
        record = runtime.read(spec.name)
        assert record
        assert engines_of(real.server_pid(), second.server_pid()) == [record.pid]
        for window, path in ((real, here), (second, there)):
            await window.page.press("Tab")
            await window.no_ghost_text()
            ast.parse(await window.save(path))


async def test_while_paused_there_are_no_suggestions(real: Workbench) -> None:
    path = await real.open("paused.py", MEAN.replace("<|>", ""))
    await real.command("Shardlight: Pause or resume suggestions")
    await real.status(contains="paused")
    before = len(await real.requests(ASKED))
    await real.go_to(5, 5)
    await real.page.type("return ")
    await real.page.press("Alt+\\")
    # A command that the server answers itself: what was typed before it has been dealt with by then.
    await real.command("Shardlight: Show status")
    await real.panel(contains="The last answer")
    await real.picture("journey-paused")
    assert len(await real.requests(ASKED)) == before
    await real.command("Shardlight: Pause or resume suggestions")
    await real.status(contains="Ready")
    await real.save(path)


async def test_an_engine_that_is_killed_comes_back(real: Workbench, spec: EngineSpec) -> None:
    await real.open("stock.py", LEVEL)
    await real.go_to(7, 5)
    record = runtime.read(spec.name)
    assert record
    engine = psutil.Process(record.pid)
    # It would be done before anybody has seen it at work.
    engine.suspend()
    await real.command("Shardlight: Explain the selected code, or the function at the cursor")
    await real.status(contains="busy")
    engine.kill()
    assert "The engine is gone, and is started again." in await real.status(contains="loading")
    await real.picture("journey-killed")
    await real.panel(contains="level")
    await real.status(contains="Ready")
    another = runtime.read(spec.name)
    assert another
    assert another.pid != record.pid
    # Else the engine of the third journey would rest.
    crashes.forget(spec.name)
    await real.picture("journey-recovered")
