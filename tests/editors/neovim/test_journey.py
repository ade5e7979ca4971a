"""A day with the real model in Neovim, on its real screen: what it says is the model's, that it works is ours."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.engine import crashes, runtime
from lsp_server.engine.runtime import EngineRecord
from tests.conftest import SMALL_MODEL
from tests.editors.journey import LEVEL, RATIO, TOTAL, assert_documented, assert_ratio_raises
from tests.editors.neovim.conftest import Neovim, Start, real_server, shared_folders

pytestmark = pytest.mark.real_model

Engines = Callable[[], list[EngineRecord]]
# The machine may be busy with other things.
PATIENCE_S = 100.0
ACCOUNT = '''"""Money of one person."""


class Account:
    def __init__(self, balance: float = 0.0) -> None:
        self.balance = balance

    def withdraw(self, amount: float) -> None:
        """Take money out; raise ValueError if there is not enough."""
        <|>


def pay(account: Account, price: float) -> None:
    account.withdraw(price)
'''
AREA = """\
from math import pi


def area(width: float, height: float) -> float:
    return width * height


HALF = pi / 2
"""
# A user's init.lua.
SETUP = """
vim.o.number = true
vim.diagnostic.config({ virtual_text = true })
vim.o.statusline = " %t %m%=%{v:lua.require'shardlight'.statusline()}  %l:%c "
_G.seen = {}
vim.api.nvim_create_autocmd("User", { pattern = "ShardlightStatus", callback = function(event)
  table.insert(_G.seen, { state = event.data.state, line = require("shardlight").statusline() })
end })
"""
LINE = "return require('shardlight').statusline()"
LINE_BEGINS = "return vim.startswith(require('shardlight').statusline(), '%s')"


@pytest.fixture
def models(binary: str, small_model: Path, tmp_path: Path) -> Path:
    """A folder of models with the small one in it, under its name."""
    path = tmp_path / "models" / SMALL_MODEL / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    path.parent.mkdir(parents=True)
    path.symlink_to(small_model)
    return tmp_path / "models"


class Day:
    """A Neovim, its files and its pictures."""

    def __init__(self, neovim: Neovim, home: Path) -> None:
        self.neovim = neovim
        self._home = home
        self._pictures = 0

    async def open(self, name: str, text: str, at: str) -> Path:
        """A file that is not there yet, with the cursor at a text of it."""
        path = self.neovim.file.with_name(name)
        path.write_text(text, encoding="utf-8")
        await self.neovim.lua(f"vim.cmd('silent edit {name}') vim.fn.search({json.dumps(at)})")
        await self.neovim.attached()
        return path

    async def write(self) -> str:
        """Save the file that is shown; what it holds then."""
        await self.neovim.keys("<Esc>:silent write<CR>")
        await self.neovim.until("return not vim.bo.modified")
        name = await self.neovim.lua("return vim.fs.basename(vim.api.nvim_buf_get_name(0))")
        return self.neovim.file.with_name(name).read_text(encoding="utf-8")

    async def picture(self, name: str) -> None:
        """See ``Screen.picture``."""
        self._pictures += 1
        if self.neovim.screen:
            number = f"{self.neovim.version}-{self._pictures:02}"
            await self.neovim.screen.picture(f"neovim-{number}-{name}", self._home)

    async def choose(self, title: str, picture: str) -> None:
        """Ask for the code actions at the cursor as a user does, and take one."""
        nvim = self.neovim
        await nvim.lua("_G.offered = nil")
        await nvim.keys("gra")
        offered = await nvim.until("return _G.offered", now=True)
        await self.picture(picture)
        await nvim.keys(f"{offered.index(title) + 1}<CR>")


async def test_a_day(models: Path, engines: Engines, start: Start, tmp_path: Path) -> None:
    names = {"directory": str(models), "completion": SMALL_MODEL, "assistant": SMALL_MODEL}
    settings: dict[str, dict[str, Any]] = {"models": names, "engine": {"n_ctx": 4096, "n_gpu_layers": 0}}
    # The command line has no editor's settings.
    env = shared_folders() | {
        f"SHARDLIGHT_{section}__{name}".upper(): str(value)
        for section, values in settings.items()
        for name, value in values.items()
    }
    nvim = await start(ACCOUNT, setup=SETUP + real_server(settings), env=env, name="account.py", screen=True)
    nvim.patience_s = PATIENCE_S
    day = Day(nvim, tmp_path)
    try:
        await suggestion(day)
        await documentation(day)
        await bug_hint(day)
        await change(day)
        await unit_tests(day)
        await explanation(day)
        await pause(day)
        await killed(day, engines)
        await health(day)
    finally:
        await day.picture("end")


async def suggestion(day: Day) -> None:
    nvim = day.neovim
    await nvim.keys("A")
    await nvim.until(LINE_BEGINS % "loading")
    await day.picture("loading")
    await nvim.until("return require('shardlight').visible()")
    shown = await nvim.ghost()
    assert "amount" in shown
    await day.picture("suggestion")
    word = shown.split(" ")[0]
    await nvim.keys("<M-Right>")
    await nvim.until("return vim.api.nvim_get_current_line()", f"        {word}")
    await nvim.until_ghost(shown.removeprefix(word))
    await day.picture("word")
    await nvim.keys("<Tab>")
    written = ACCOUNT.replace("<|>", shown)
    await nvim.until_text(written.rstrip())
    await day.picture("whole")
    assert await day.write() == written
    ast.parse(written)


async def documentation(day: Day) -> None:
    nvim = day.neovim
    await day.open("shapes.py", AREA, "return")
    await day.choose("Write documentation of area", "actions")
    await nvim.until("return vim.fn.search('Returns:', 'nw') > 0")
    await day.picture("documentation")
    assert_documented(AREA, await day.write(), "width", "height")


async def unit_tests(day: Day) -> None:
    nvim = day.neovim
    path = await day.open("tank.py", LEVEL, "if percent")
    await nvim.keys(":Shardlight unitTests<CR>")
    await nvim.until(LINE, "busy")
    await day.picture("busy")
    await nvim.until('return vim.fs.basename(vim.api.nvim_buf_get_name(0)) == "test_tank.py"')
    # What is to be said of them is long; still nothing waits for a key.
    await nvim.until("return vim.fn.execute('messages'):match('They notice') ~= nil")
    await nvim.until("return #vim.api.nvim_list_wins() == 2")
    await day.picture("unit-tests")
    written = await day.write()
    assert "from tank import level\n" in written
    assert "level(" in written
    ast.parse(written)
    assert path.read_text(encoding="utf-8") == LEVEL


async def bug_hint(day: Day) -> None:
    nvim = day.neovim
    await day.open("bug.py", TOTAL, "summed +=")
    await nvim.keys(":Shardlight findBugs<CR>")
    await nvim.until("return #vim.diagnostic.get(0)", 1)
    await day.picture("hint")
    await day.choose("Fix: `summed += price * rate`", "fix")
    await nvim.until("return #vim.diagnostic.get(0)", 0)
    assert await day.write() == TOTAL.replace("prices * rate", "price * rate")


async def change(day: Day) -> None:
    nvim = day.neovim
    await day.open("ratio.py", RATIO, "share")
    await nvim.keys(":Shardlight edit raise ValueError if whole is zero<CR>")
    await nvim.until("return vim.bo.modified")
    await day.picture("change")
    assert_ratio_raises(await day.write())


async def explanation(day: Day) -> None:
    nvim = day.neovim
    await day.open("explained.py", LEVEL, "if percent")
    await nvim.keys(":Shardlight explain<CR>")
    await nvim.until("return vim.bo.filetype == 'markdown'")
    await day.picture("explanation")
    assert len((await nvim.text()).split()) > 10
    await nvim.keys("q")


async def pause(day: Day) -> None:
    nvim = day.neovim
    await day.open("paused.py", ACCOUNT.replace("<|>", ""), "Take")
    await nvim.keys(":Shardlight pause<CR>")
    await nvim.until(LINE, "paused")
    # Requests are counted where they leave; one that the server answers shows that it would have come to that.
    await nvim.lua("""
        _G.requests = 0
        local client = require("shardlight.client").of(0)
        local request = client.request
        function client:request(method, ...)
          _G.requests = _G.requests + (method == "textDocument/inlineCompletion" and 1 or 0)
          return request(self, method, ...)
        end
    """)
    await nvim.keys("o")
    await nvim.keys("<M-\\>")
    await nvim.keys("<Esc>:Shardlight status<CR>")
    await nvim.until("return vim.fn.search('suggestions: paused everywhere', 'nw') > 0")
    await day.picture("paused")
    assert await nvim.lua("return _G.requests") == 0
    await nvim.keys("q:Shardlight resume<CR>")
    await nvim.until(LINE_BEGINS % "ready")
    await nvim.keys("A")
    await nvim.until("return _G.requests > 0")
    await nvim.keys("<Esc>")


async def killed(day: Day, engines: Engines) -> None:
    nvim = day.neovim
    await day.open("killed.py", LEVEL, "if percent")
    await nvim.until(LINE_BEGINS % "ready")
    await nvim.keys(":Shardlight explain<CR>")
    await nvim.until(LINE, "busy")
    await nvim.lua("_G.seen = {}")
    (record,) = engines()
    record.process().kill()
    await nvim.until("return vim.iter(_G.seen):any(function(one) return one.line == 'loading' end)")
    await day.picture("killed")
    await nvim.until("return vim.bo.filetype == 'markdown'")
    await nvim.until(LINE_BEGINS % "ready")
    await day.picture("recovered")
    assert len((await nvim.text()).split()) > 10
    (another,) = engines()
    assert another.pid != record.pid
    # Else the engine of the third journey would rest.
    crashes.forget(runtime.key(Path(record.model_path), record.n_ctx, record.n_gpu_layers))
    await nvim.keys("q")


async def health(day: Day) -> None:
    nvim = day.neovim
    await nvim.keys(":checkhealth shardlight<CR>")
    await nvim.until("return vim.bo.filetype", "checkhealth")
    await day.picture("health")
    report = await nvim.text()
    assert "ERROR" not in report
    for wanted in (f"OK {SMALL_MODEL}, 0.5 GB", "tokens/s answering", "engine: ", f"completion: {SMALL_MODEL}, ready"):
        assert wanted in report
