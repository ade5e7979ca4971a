"""Models in VS Code: choosing and downloading one, its plan, and the statistics."""

from __future__ import annotations

import pytest

from tests.editors.vscode.workbench import Workbench

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROW = ".quick-input-widget .monaco-list-row"


async def test_a_model_is_chosen_and_downloaded(workbench: Workbench) -> None:
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
    made = '"shardlight.models.completion": "qwen2.5-coder-1.5b"'
    while made not in workbench.user_settings().read_text(encoding="utf-8"):
        await workbench.status()


async def test_a_download_says_how_far_it_is_and_is_cancelled(workbench: Workbench) -> None:
    held = workbench.served / "held"
    held.touch()
    try:
        await workbench.command("Shardlight: Download a model")
        await workbench.choose("qwen2.5-coder-0.5b")
        await workbench.message("40 %, 200 of 500 MB")
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
