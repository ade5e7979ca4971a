"""Vim and ALE with the documented configuration, and the real language server over a scripted model behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.editors.documented import InTerminal, Workplace, block
from tests.editors.programs import named, program
from tests.editors.terminal import Terminal
from tests.support.adding import BODY, DOCUMENTED, WORDS
from tests.support.slip import FIX, HINT, MENDED, SLIP

_VIM, _ALE = named("SHARDLIGHT_VIM"), named("SHARDLIGHT_ALE")
_QUIET = "set nocompatible noswapfile\nfiletype plugin indent on\n"

Start = Callable[..., Awaitable["Vim"]]


class Vim(InTerminal):
    """A Vim with one file open."""

    async def choose_action(self, title: str) -> None:
        """Choose one of the actions at the cursor by its number."""
        await self.served()
        self.terminal.keys(":ALECodeAction\r")
        await self.terminal.until_shown(title, "Type number and <Enter>")
        entry = next(line for line in self.terminal.shown().splitlines() if title in line)
        self.terminal.keys(f"{entry.partition(')')[0]}\r")

    async def until_saved(self, wanted: str) -> None:
        """Write the file again and again, until this is what it holds."""
        await self.terminal.until(lambda: self.place.saved() == wanted, repr(wanted), again="\x1b:write\r")


@pytest_asyncio.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """``await start("x = <|>\\n", {"infills": ["1"]})``: a file is open, as the documentation says."""
    binary = program("SHARDLIGHT_VIM", _VIM)
    if _ALE is None:
        pytest.skip("SHARDLIGHT_ALE is not set")
    running: list[Vim] = []

    async def make(marked: str, script: dict[str, Any]) -> Vim:
        place = Workplace(tmp_path, marked, script)
        packages = place.home / ".vim" / "pack" / "tests" / "opt"
        packages.mkdir(parents=True)
        (packages / "ale").symlink_to(_ALE)
        (place.home / ".vimrc").write_text(_QUIET + block("Vim with ALE", "vim"), encoding="utf-8")
        command = [binary, f"+call cursor({place.line}, {place.column})", str(place.file)]
        running.append(Vim(place, await Terminal.start(command, place.file.parent, place.environment())))
        return running[-1]

    yield make
    for vim in running:
        vim.terminal.keys("\x1b:quitall!\r")
        await vim.terminal.close()


async def test_a_suggestion_is_in_the_menu_and_taken(start: Start) -> None:
    vim = await start(BODY, {"infills": ["tal = a + b"]})
    await vim.served()
    # A suggestion that takes too long is there when it is asked for again.
    vim.terminal.keys("Ato")
    await vim.terminal.until_shown("total = a + b", "Shardlight", again="\x7fo")
    vim.terminal.keys("\x0e\x19")
    await vim.until_saved(BODY.replace("<|>", "total = a + b"))
    assert vim.place.sent("initialize")[0]["initializationOptions"] == {
        "trusted": True,
        "settings": {"completion": {"debounce_ms": 100}, "bug_hints": {"on_save": True}},
    }


async def test_documentation_from_the_list_of_actions(start: Start) -> None:
    vim = await start("def add(a, b):\n    return <|>a + b\n", {"chats": WORDS})
    await vim.choose_action("Write documentation of add")
    await vim.terminal.until_shown('"""Add two numbers.')
    await vim.until_saved(DOCUMENTED)


async def test_a_hint_and_its_correction(start: Start) -> None:
    vim = await start(SLIP, {"knows": MENDED})
    await vim.choose_action("Find bugs in total")
    await vim.terminal.until_shown(HINT)
    await vim.choose_action(FIX)
    await vim.until_saved(MENDED)
    await vim.terminal.until_not_shown(HINT)
