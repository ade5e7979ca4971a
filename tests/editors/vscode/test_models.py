"""Models in VS Code: choosing and downloading one, its plan, and the statistics."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.editors.vscode.workbench import Workbench, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODEL = "qwen2.5-coder-0.5b"
BAR = ".notification-toast .monaco-progress-container.discrete .progress-bit"
ROW = ".quick-input-widget .monaco-list-row"


async def test_a_model_that_is_missing_is_offered(workbench: Workbench, tmp_path: Path) -> None:
    workbench.set(
        shardlight__models__directory=str(tmp_path),
        shardlight__models__completion=MODEL,
        shardlight__models__assistant=MODEL,
    )
    await workbench.serve({"real": True})
    await workbench.open("first.py", "def add(a, b):\n    \n")
    await workbench.go_to(2, 5)
    await workbench.page.type("return ")
    await workbench.message(f"Shardlight needs the model {MODEL} (491 MB, Apache-2.0)")
    await workbench.picture("model-offered")
    await workbench.click_on(".notification-toast .monaco-button", "Not now")
    await workbench.status(contains="no model")
    await workbench.open_menu()
    await workbench.choose(f"Download {MODEL}")
    await workbench.message(f"{MODEL} is here")
    # Nothing was asked for meanwhile.
    await workbench.status(contains="No model was needed yet")
    workbench.set()
    await workbench.clear()


async def test_a_model_is_chosen_and_downloaded(workbench: Workbench) -> None:
    async def chosen() -> bool:
        await asyncio.sleep(0)
        return workbench.settings().get("shardlight.models.completion") == "qwen2.5-coder-1.5b"

    await workbench.serve({})
    await workbench.open_menu()
    await workbench.choose("Choose a model")
    await workbench.choose("Completes while you type")
    await workbench.page.until(f"[...document.querySelectorAll('{ROW}')].some(r => r.ariaLabel.includes('1.5b'))")
    await workbench.picture("choose-model")
    await workbench.choose("qwen2.5-coder-1.5b")
    await workbench.elements(".monaco-dialog-box .monaco-button", 2)
    await workbench.picture("choose-model-download")
    await workbench.click_on(".monaco-dialog-box .monaco-button", "Download")
    await workbench.message("qwen2.5-coder-1.5b is here")
    await workbench.clear()
    # Where the code is, since models are files of that machine.
    await until(chosen, lambda: "it is not in the settings")
    workbench.set()


async def test_a_download_says_how_far_it_is_and_is_cancelled(workbench: Workbench) -> None:
    held = workbench.served / "held"
    held.touch()
    try:
        await workbench.command("Shardlight: Download a model")
        await workbench.choose("qwen2.5-coder-0.5b")
        await workbench.message("downloading, 40 %, 200 MB of 500 MB")
        assert "width: 40%" in await workbench.page.until(f"document.querySelector('{BAR}')?.getAttribute('style')")
        await workbench.picture("download")
        await workbench.click_on(".notification-toast .monaco-button", "Cancel")
        await workbench.page.until("!document.querySelector('.notification-toast')")
    finally:
        held.unlink()
    assert (await workbench.status()).startswith("Shardlight. Ready")


async def test_the_plan_is_shown(workbench: Workbench) -> None:
    await workbench.command("Shardlight: Show the plan: where a model runs, how fast, and why")
    await workbench.choose("Writes documentation")
    shown = await workbench.panel(contains="tokens/s answering")
    assert "Laptop with 16 GB of RAM" in shown
    assert "There is no GPU" in shown
    await workbench.picture("plan")


async def test_the_statistics_are_shown(workbench: Workbench) -> None:
    await workbench.command("Shardlight: Show statistics")
    await workbench.panel(contains="The last 30 days")
    await workbench.picture("statistics")
    await workbench.command("View: Close Editors in Other Groups")


async def test_the_first_steps_are_shown(workbench: Workbench) -> None:
    await workbench.command("Shardlight: First steps")
    await workbench.page.until("document.body.textContent.includes('Find the language server')")
    # The server has been found.
    await workbench.elements('[data-done-step-id*="server"][aria-checked="true"]', 1)
    await workbench.picture("walkthrough")
    await workbench.page.press("Control+W")
