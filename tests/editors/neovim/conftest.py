"""The real Neovim with the plugin, and the real language server over a scripted model behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from lsp_server.engine import runtime
from lsp_server.engine.runtime import EngineRecord
from tests.editors.neovim.screen import Screen
from tests.editors.programs import named, program
from tests.support.editor import REPOSITORY
from tests.support.engine import PATIENCE_S

PLUGIN = REPOSITORY / "editors" / "neovim"
HERE = Path(__file__).parent
_VARIABLES = {version: f"SHARDLIGHT_NVIM_{version.replace('.', '')}" for version in ("0.12", "0.11")}
_BINARIES = {version: named(variable) for version, variable in _VARIABLES.items()}

# How a test starts it; `{plugin}` and `{cmd}` are filled in.
CONFIG = """
vim.lsp.config("shardlight", {{ cmd = {cmd}, cmd_cwd = {cwd} }})
vim.opt.runtimepath:append({plugin})
"""

_TEXT = 'return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n")'

# What ghost text looks like, whoever has drawn it: behind the cursor, and below.
_GHOST = """
local lines = {}
for _, name in ipairs({ "shardlight.ghost", "nvim.lsp.inline_completion" }) do
  local space = vim.api.nvim_get_namespaces()[name]
  for _, mark in ipairs(space and vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true }) or {}) do
    for _, chunks in ipairs(vim.list_extend({ mark[4].virt_text }, mark[4].virt_lines or {})) do
      local texts = vim.tbl_map(function(chunk) return chunk[1] end, chunks)
      table.insert(lines, table.concat(texts))
    end
  end
end
return table.concat(lines, "\\n")
"""

# What the screen can do.
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}

Start = Callable[..., Awaitable["Neovim"]]


class Neovim:
    """A Neovim, with a screen or without.

    Attributes:
        version: ``0.11`` or ``0.12``.
        native: it can show suggestions by itself.
        file: what it has open.
        patience_s: how long it waits for something that has to come; only a test that fails waits that long.
    """

    def __init__(
        self,
        version: str,
        process: asyncio.subprocess.Process,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        file: Path,
        screen: Screen | None,
    ) -> None:
        self.version = version
        self.native = version == "0.12"
        self.file = file
        self.patience_s = PATIENCE_S
        self.process = process
        self.screen = screen
        self._reader, self._writer = streams
        self._asked = 0

    async def _ask(self, request: dict[str, str]) -> Any:
        self._asked = number = self._asked + 1
        self._writer.write(json.dumps({"id": number, **request}).encode() + b"\n")
        answer: dict[str, Any] = {}
        # For some nobody waits any more.
        while answer.get("id") != number:
            answer = json.loads(await asyncio.wait_for(self._reader.readline(), self.patience_s))
        assert "error" not in answer, answer["error"]
        return answer["ok"]

    async def lua(self, code: str) -> Any:
        """What a piece of Lua returns."""
        return await self._ask({"lua": code})

    async def now(self, code: str) -> Any:
        """What a piece of Lua returns that looks at no buffer, also while Neovim waits for an answer to a question."""
        return await self._ask({"now": code})

    async def keys(self, keys: str) -> None:
        """Type; ``<CR>`` and the like are keys."""
        await self._ask({"keys": keys})

    async def until(self, code: str, wanted: Any = True, *, now: bool = False) -> Any:
        """Wait until a piece of Lua returns something; without ``wanted``, something true. ``now``: see there."""
        value = None
        ask = self.now if now else self.lua

        async def poll() -> None:
            nonlocal value
            while (value := await ask(code)) != wanted and not (wanted is True and value):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        try:
            await asyncio.wait_for(poll(), self.patience_s)
        except asyncio.TimeoutError:
            told = await self.now("return _G.told")
            raise AssertionError(f"{code}: {value!r} instead of {wanted!r}; the user was told {told}") from None
        return value

    async def attached(self) -> None:
        """Wait until the server serves the file."""
        await self.until('return require("shardlight.client").of(0) ~= nil and vim.lsp.get_clients()[1].initialized')

    async def text(self) -> str:
        """What the buffer holds."""
        return str(await self.lua(_TEXT))

    async def ghost(self) -> str:
        """The suggestion that is shown, as it looks; empty if none is."""
        return str(await self.lua(_GHOST))

    async def until_ghost(self, wanted: str) -> None:
        """Wait until this suggestion is shown."""
        await self.until(_GHOST, wanted)

    async def until_text(self, wanted: str) -> None:
        """Wait until the buffer holds this."""
        await self.until(_TEXT, wanted)

    async def told(self) -> list[str]:
        """What the user was told."""
        return list(await self.lua("return _G.told"))

    async def begun(self) -> int:
        """How many answers the model has begun, and that every request sent before this one has been looked at."""
        state = await self.lua("""
            local client = require("shardlight.client").any()
            return client:request_sync("test/state", {}, 10000).result
        """)
        return int(state["begun"])

    def server(self) -> psutil.Process:
        """The process of the language server."""
        (server,) = self.children("tests.e2e.scripted_server")
        return server

    def children(self, words: str) -> list[psutil.Process]:
        """The processes that it and its servers have started, with words in their command line."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if words in " ".join(child.cmdline())]


@pytest.fixture(params=["0.12", "0.11"])
def version(request: pytest.FixtureRequest) -> str:
    """The test is run with each."""
    return str(request.param)


@pytest.fixture
def binary(version: str) -> str:
    """The program."""
    return program(_VARIABLES[version], _BINARIES[version])


def real_server(settings: dict[str, Any]) -> str:
    """Lua that has the plugin start the real server with settings, in a workspace that it may trust."""
    command = [sys.executable, "-m", "lsp_server", "serve"]
    return f'require("shardlight").setup({{ cmd = {lua(command)}, trusted = true, settings = {lua(settings)} }})\n'


@pytest_asyncio.fixture
async def engines(tmp_path: Path) -> AsyncIterator[Callable[[], list[EngineRecord]]]:
    """The engines that run with a model from the test's folder; they end with the test."""

    def running() -> list[EngineRecord]:
        return [record for record in runtime.all_running() if Path(record.model_path).is_relative_to(tmp_path)]

    yield running
    for record in running():
        with contextlib.suppress(psutil.NoSuchProcess):
            # It says goodbye: one that does not counts as a crash.
            record.process().terminate()
            await asyncio.to_thread(record.process().wait, PATIENCE_S)


def shared_folders() -> dict[str, str]:
    """Variables: engines are found where this process looks for them, and how fast this machine is, is known."""
    return {name: os.environ[name] for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME")}


def lua(value: Any) -> str:
    """A value as Lua writes it."""
    return f"vim.json.decode([==[{json.dumps(value)}]==])"


@pytest_asyncio.fixture
async def start(tmp_path: Path, version: str, binary: str) -> AsyncIterator[Start]:
    """``await start("x = <|>\\n", {"infills": ["1"]}, setup="…")``: a file is open and served, the cursor there.

    ``config`` is the whole ``init.lua`` and ``setup`` more of it, ``name`` the file's; ``attach=False``: no server is
    waited for. ``screen``: it has one; else nobody sees it.
    """
    running: list[Neovim] = []
    # A socket's path must be short.
    sockets = Path(tempfile.mkdtemp(prefix="nv-"))

    async def make(
        marked: str,
        script: dict[str, Any] | None = None,
        *,
        setup: str = "",
        config: str = CONFIG,
        name: str = "calc.py",
        attach: bool = True,
        env: dict[str, str] | None = None,
        screen: bool = False,
    ) -> Neovim:
        folder = tmp_path / "größe 1"
        folder.mkdir(exist_ok=True)
        (folder / ".git").mkdir(exist_ok=True)
        before, _, behind = marked.partition("<|>")
        file = folder / name
        file.write_bytes((before + behind).encode())
        (tmp_path / "script.json").write_text(json.dumps(script or {}), encoding="utf-8")
        cmd = [sys.executable, "-m", "tests.e2e.scripted_server", str(tmp_path / "script.json")]
        (tmp_path / "init.lua").write_text(
            f"dofile({lua(str(HERE / 'control.lua'))})\nvim.o.swapfile = false\n"
            + config.format(cmd=lua(cmd), cwd=lua(str(REPOSITORY)), plugin=lua(str(PLUGIN)))
            + setup,
            encoding="utf-8",
        )
        homes = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
        socket = sockets / str(len(running))
        shown = Screen() if screen else None
        terminal = shown.neovim if shown else subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *(binary, *([] if shown else ["--headless"]), "-u", str(tmp_path / "init.lua"), "-i", "NONE", str(file)),
            cwd=folder,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=shown is not None,
            env={**os.environ, **homes, **TERMINAL, "SHARDLIGHT_TEST_SOCKET": str(socket), **(env or {})},
        )
        neovim = Neovim(version, process, await _connected(socket, process), file, shown)
        running.append(neovim)
        line = before.count("\n") + 1
        column = len(before.rpartition("\n")[2].encode())
        await neovim.lua(f"vim.api.nvim_win_set_cursor(0, {{ {line}, {column} }})")
        if attach:
            await neovim.attached()
        return neovim

    yield make
    for neovim in running:
        await _quit(neovim)
    shutil.rmtree(sockets)


async def _connected(
    socket: Path, process: asyncio.subprocess.Process
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async def poll() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            assert process.returncode is None, "Neovim has ended"
            try:
                return await asyncio.open_unix_connection(str(socket), limit=2**24)
            except (FileNotFoundError, ConnectionRefusedError):
                await asyncio.sleep(0.01)

    return await asyncio.wait_for(poll(), PATIENCE_S)


async def _quit(neovim: Neovim) -> None:
    """Quit; what it started has to go with it."""
    children = psutil.Process(neovim.process.pid).children(recursive=True) if neovim.process.returncode is None else []
    try:
        if neovim.process.returncode is None:
            await neovim.keys("<C-\\><C-n>:qa!<CR>")
        await asyncio.wait_for(neovim.process.wait(), PATIENCE_S)
    finally:
        if neovim.screen:
            await neovim.screen.close()
        for child in [*children, psutil.Process(neovim.process.pid)] if neovim.process.returncode is None else children:
            # It may go by itself meanwhile.
            with contextlib.suppress(psutil.NoSuchProcess):
                # An engine stays for other windows.
                if "engine run" not in " ".join(child.cmdline()):
                    child.kill()
