"""The plugin with real engines, which hold tiny models that say nothing of use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lsp_server.engine.runtime import EngineRecord
from tests.editors.neovim.conftest import Start, real_server, shared_folders
from tests.support.hub import FakeHub, hub, hub_cache  # noqa: F401 - fixtures
from tests.support.tiny import write_tiny

# The machine may be busy with other things.
PATIENCE_S = 100.0
ENGINE = {"n_ctx": 2048, "n_gpu_layers": 0}
READY = "return vim.startswith(require('shardlight').statusline(), 'ready tiny')"


async def test_two_windows_share_an_engine(
    engines: Callable[[], list[EngineRecord]], start: Start, tmp_path: Path
) -> None:
    model = str(write_tiny("gemma3", tmp_path / "models"))
    setup = real_server({"models": {"completion": model, "assistant": model}, "engine": ENGINE})
    one = await start("x = <|>\n", setup=setup, env=shared_folders(), name="one.py")
    two = await start("y = <|>\n", setup=setup, env=shared_folders(), name="two.py")
    # Both want it at once.
    for nvim in (one, two):
        nvim.patience_s = PATIENCE_S
        await nvim.keys("A1 + ")
    for nvim in (one, two):
        await nvim.until(READY)
    assert len([*one.children("lsp_server serve"), *two.children("lsp_server serve")]) == 2
    (process,) = [*one.children("engine run"), *two.children("engine run")]
    assert [record.pid for record in engines()] == [process.pid]


SEEN = """
_G.seen = {}
vim.api.nvim_create_autocmd("User", { pattern = "ShardlightStatus", callback = function(event)
  table.insert(_G.seen, event.data.state)
end })
"""


async def test_a_missing_model_is_offered_and_downloaded(
    hub: FakeHub,  # noqa: F811 - the fixture
    engines: Callable[[], list[EngineRecord]],
    start: Start,
    tmp_path: Path,
) -> None:
    model = "hf:org/tiny/tiny.gguf"
    hub.add("org/tiny", "tiny.gguf", write_tiny("gemma3", tmp_path / "source").read_bytes())
    setup = SEEN + real_server({"models": {"completion": model, "assistant": model}, "engine": ENGINE})
    env = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "NO_PROXY": "127.0.0.1"}
    nvim = await start("x = <|>\n", setup=setup, env=shared_folders() | env, screen=True)
    nvim.patience_s = PATIENCE_S
    assert nvim.screen
    # What is typed does not answer the question: it waits.
    await nvim.keys("A1 + ")
    await nvim.until("return require('shardlight').statusline()", "no model")
    await nvim.keys("1")
    await nvim.until_text("x = 1 + 1")
    assert await nvim.lua("return _G.offered") is None
    assert hub.downloads() == 0
    await nvim.keys("<Esc>")
    assert await nvim.until("return _G.offered", now=True) == ["Download", "Not now"]
    await nvim.screen.picture(f"neovim-{nvim.version}-download", tmp_path)
    await nvim.keys("1<CR>")
    await nvim.until(READY)
    assert await nvim.lua("return _G.seen[#_G.seen]") == "ready"
    assert {"missing", "downloading", "loading"} <= set(await nvim.lua("return _G.seen"))
    assert hub.downloads() == 1
    assert len(engines()) == 1
