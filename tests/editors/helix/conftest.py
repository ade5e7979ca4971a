"""The real Helix in a terminal, and the real language server over a scripted model behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.editors.documented import InTerminal, Workplace, block
from tests.editors.programs import named, program
from tests.editors.terminal import Terminal

_HELIX = named("SHARDLIGHT_HELIX")

Start = Callable[..., Awaitable["Helix"]]


class Helix(InTerminal):
    """A Helix with one file open."""

    async def command(self, command: str) -> None:
        """Run a command by its name."""
        if " INS " in self.terminal.shown():
            # The next key has to wait: right behind Escape, it would be one with Alt.
            self.terminal.keys("\x1b")
            await self.terminal.until_shown(" NOR ")
        self.terminal.keys(f":{command}\r")

    async def until_saved(self, wanted: str) -> None:
        """Write the file, and wait until this is what it holds."""
        await self.command("write")
        await self.terminal.until(lambda: self.place.saved() == wanted, repr(wanted))

    async def choose_action(self, title: str) -> None:
        """Choose one of the actions on the function at the cursor from their menu."""
        self.terminal.keys(" a")
        await self.terminal.until_shown("Write documentation of")
        seen: list[str] = []
        while title not in (entry := self.terminal.marked()):
            assert entry not in seen, f"{title!r} is none of {seen}"
            seen.append(entry)
            self.terminal.keys("\x1b[B")
            await self.terminal.until(lambda: self.terminal.marked() != seen[-1], "next entry")
        self.terminal.keys("\r")
        await self.terminal.until_not_shown("Write documentation of")


@pytest_asyncio.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """``await start("x = <|>\\n", {"infills": ["1"]})``: a file is open and served, as the documentation says."""
    binary = program("SHARDLIGHT_HELIX", _HELIX)
    running: list[Helix] = []

    async def make(marked: str, script: dict[str, Any] | None = None) -> Helix:
        place = Workplace(tmp_path, marked, script or {})
        config = place.home / ".config" / "helix"
        config.mkdir(parents=True)
        (config / "languages.toml").write_text(block("Helix", "toml"), encoding="utf-8")
        command = [binary, f"{place.file}:{place.line}:{place.column}"]
        helix = Helix(place, await Terminal.start(command, place.file.parent, place.environment()))
        running.append(helix)
        await helix.served()
        return helix

    yield make
    for helix in running:
        await helix.command("quit-all!")
        await helix.terminal.close()
