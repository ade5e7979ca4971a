"""The server as VS Code's user sees it: the status bar and its menu, crashes, settings, and no server at all."""

from __future__ import annotations

import os
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.editors.vscode.workbench import Workbench

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADD = "def add(a, b):\n    \n"
CHANGED = "workspace/didChangeConfiguration"
MODEL = "qwen2.5-coder-0.5b"


def said(state: str, percent: int | None = None, message: str = "", speed: float | None = None) -> dict[str, Any]:
    return {"state": state, "model": MODEL, "percent": percent, "message": message, "tokensPerSecond": speed}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (said("missing", message="Not on this machine yet."), "Shardlight: no model"),
        (said("downloading", 43, "43 %, 211 of 491 MB"), "Shardlight: downloading 43 %"),
        (said("loading", 71), "Shardlight: loading 71 %"),
        (said("ready", speed=26.4), "Shardlight"),
        (said("busy", message="Write documentation of add"), "Shardlight: busy"),
        (said("failed", message="There is no room for it."), "Shardlight: failed"),
        (said("idle"), "Shardlight"),
    ],
    ids=lambda value: value["state"] if isinstance(value, dict) else "",
)
async def test_the_status_bar_says(workbench: Workbench, status: dict[str, Any], text: str) -> None:
    await workbench.serve({})
    await workbench.tell("shardlight/status", status)
    item = "document.querySelector('[id=\"shardlight.shardlight.status\"]').textContent.trim()"
    await workbench.page.until(f"{item} === {text!r}")
    if status["state"] == "ready":
        label = await workbench.status(contains="tokens/s")
        assert label == f"Shardlight. Ready. Model: `{MODEL}`\n\n26.4 tokens/s"
    else:
        await workbench.status(contains=status["message"])
    await workbench.picture(f"status-{status['state']}")


async def test_the_menu_leads_to_what_helps(workbench: Workbench) -> None:
    await workbench.serve({})
    await workbench.tell("shardlight/status", said("missing", message="Not on this machine yet."))
    await workbench.status(contains="no model")
    await workbench.open_menu()
    await workbench.picture("menu-missing")
    await workbench.choose(f"Download {MODEL}")
    await workbench.message(f"{MODEL} is here")
    assert ["models", "pull", MODEL, "--json"] in workbench.calls()
    # The server is told, since it may say something else now.
    await workbench.requested("workspace/executeCommand")
    await workbench.clear()


async def test_a_server_that_is_killed_comes_back(workbench: Workbench) -> None:
    await workbench.serve({"infills": ["a + b"]})
    await workbench.open("killed.py", ADD)
    await workbench.go_to(2, 5)
    await workbench.page.type("return ")
    await workbench.ghost_text(contains="a + b")
    for _ in range(3):
        pid = workbench.server_pid()
        assert pid
        os.kill(pid, signal.SIGKILL)
        await workbench.another_server(pid)
    await workbench.page.press("Escape")
    await workbench.page.press("Alt+\\")
    await workbench.ghost_text(contains="a + b")
    pid = workbench.server_pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert "ended 4 times in three minutes" in await workbench.status(contains="failed")
    await workbench.open_menu()
    await workbench.picture("menu-failed")
    await workbench.choose("Start it again")
    await workbench.another_server(pid)
    await workbench.go_to(2, 12)
    await workbench.page.press("Alt+\\")
    await workbench.ghost_text(contains="a + b")
    await workbench.page.press("Escape")


async def test_what_is_going_on_can_be_cancelled(workbench: Workbench) -> None:
    await workbench.serve({"chats": ["Add two numbers."], "hold": True})
    await workbench.open("cancelled.py", "def add(a, b):\n    return a + b\n")
    await workbench.go_to(2, 5)
    await workbench.command("Shardlight: Write documentation of the function at the cursor")
    await workbench.status(contains="busy")
    assert (await workbench.ask("test/state"))["goingOn"] == 1
    await workbench.open_menu()
    await workbench.picture("menu-busy")
    await workbench.choose("Cancel: ")
    await workbench.status(contains="Ready")
    assert (await workbench.ask("test/state"))["goingOn"] == 0
    await workbench.clear()


async def test_settings_count_at_once(workbench: Workbench) -> None:
    await workbench.serve({"infills": ["a + b"]})
    await workbench.open("settings.py", ADD)
    # The first of these only says that they can be asked for.
    await workbench.requested(CHANGED)
    workbench.set(shardlight__completion__enabled=False)
    await workbench.requested(CHANGED, 2)
    await workbench.go_to(2, 5)
    await workbench.page.type("return ")
    await workbench.requested("textDocument/inlineCompletion")
    assert (await workbench.ask("test/state"))["holes"] == []
    workbench.set()
    await workbench.requested(CHANGED, 3)
    await workbench.page.press("Backspace")
    await workbench.page.type(" ")
    await workbench.ghost_text(contains="a + b")
    await workbench.page.press("Escape")


async def test_a_program_that_is_not_there_is_told(workbench: Workbench) -> None:
    before = workbench.server_pid()
    workbench.set(shardlight__server__path="/nowhere/shardlight")
    assert '"/nowhere/shardlight" (shardlight.server.path) was not found' in await workbench.status(
        contains="not found"
    )
    await workbench.message("was not found")
    await workbench.picture("not-found")
    workbench.set()
    await workbench.another_server(before)
    await workbench.clear()


@pytest.fixture
def environment(program: Path) -> Iterator[None]:
    """An active Python environment that has the program, which is not on the PATH so long."""
    folder = program.parents[1] / "env" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").touch()
    inside = program.rename(folder / program.name)
    yield
    inside.rename(program)
    (folder / "python").unlink()


@pytest.mark.usefixtures("environment")
async def test_the_active_python_environment_has_it(workbench: Workbench) -> None:
    before = workbench.server_pid()
    await workbench.command("Shardlight: Restart the language server")
    await workbench.another_server(before)


@pytest.fixture
def wheel(workbench: Workbench, program: Path, tmp_path: Path) -> Iterator[Path]:
    """What can be installed instead of the program on the PATH, which is away so long."""
    aside = program.with_suffix(".aside")
    command = program.read_text(encoding="utf-8").split(" && exec ", 1)[1].split(' "$@"')[0]
    program.rename(aside)
    yield _wheel(tmp_path, command)
    aside.rename(program)
    workbench.set()


async def test_without_a_server_one_is_installed(workbench: Workbench, wheel: Path) -> None:
    before = workbench.server_pid()
    workbench.set(shardlight__server__package=str(wheel))
    await workbench.command("Shardlight: Restart the language server")
    await workbench.status(contains="not installed")
    await workbench.message("is not installed")
    await workbench.picture("not-installed")
    await workbench.clear()
    await workbench.open_menu()
    await workbench.picture("menu-not-installed")
    await workbench.choose("Install the language server")
    await workbench.message("making an environment")
    await workbench.picture("installing")
    await workbench.another_server(before)
    assert list(workbench.user.glob("User/globalStorage/shardlight.shardlight/server/*/shardlight*"))
    await workbench.clear()


def _wheel(folder: Path, command: str) -> Path:
    """A package `shardlight` that has a program, which runs the command."""
    path = folder / "shardlight-0.1.0-py3-none-any.whl"
    module = f"import os, shlex, sys\n\ndef main():\n    words = shlex.split({command!r})\n"
    module += f"    os.chdir({str(Path.cwd())!r})\n    os.execv(words[0], words + sys.argv[1:])\n"
    about = "shardlight-0.1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("shardlight.py", module)
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: shardlight\nVersion: 0.1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/entry_points.txt", "[console_scripts]\nshardlight = shardlight:main\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path
