"""Actions on code, what they show, and what the plugin says of the server."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from lsp_server import __version__
from tests.editors.neovim.conftest import CONFIG, Start
from tests.support.adding import DOCUMENTED, TESTS, WORDS
from tests.support.slip import HINT, MENDED, SLIP

ADD = "def add(a, b):\n    return <|>a + b\n"

# Of a floating window that is open, what it shows.
FLOAT = """
    local window = vim.api.nvim_get_current_win()
    if vim.api.nvim_win_get_config(window).relative ~= "" then
      return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n")
    end
    return ""
"""


async def test_documentation_by_command_and_from_the_menu(start: Start) -> None:
    nvim = await start(ADD, {"chats": WORDS * 2})
    await nvim.keys(":Shardlight docstring<CR>")
    await nvim.until_text(DOCUMENTED.rstrip())
    await nvim.keys("u")
    await nvim.until_text(ADD.replace("<|>", "").rstrip())
    await nvim.lua("""
        vim.lsp.buf.code_action({ apply = true, filter = function(action)
          return action.kind == "refactor.rewrite.docstring"
        end })
    """)
    await nvim.until_text(DOCUMENTED.rstrip())


async def test_unit_tests_go_into_a_new_file(start: Start) -> None:
    nvim = await start(ADD, {"chats": [TESTS]})
    await nvim.keys(":Shardlight unitTests<CR>")
    await nvim.until('return vim.fs.basename(vim.api.nvim_buf_get_name(0)) == "test_calc.py"')
    text = await nvim.text()
    assert "assert add(1, 2) == 3" in text
    # Neovim ends the last line itself.
    assert not text.endswith("\n")


async def test_a_hint_and_its_quick_fix(start: Start) -> None:
    nvim = await start(SLIP, {"knows": MENDED})
    await nvim.keys(":Shardlight findBugs<CR>")
    await nvim.until("return #vim.diagnostic.get(0)", 1)
    assert await nvim.lua("return vim.diagnostic.get(0)[1].message") == HINT
    await nvim.lua("vim.lsp.buf.code_action({ apply = true, filter = function(a) return a.isPreferred end })")
    await nvim.until_text(MENDED.rstrip())
    await nvim.until("return #vim.diagnostic.get(0)", 0)
    # Taken back, it does not come again.
    await nvim.keys("u")
    await nvim.keys(":Shardlight findBugs<CR>")
    await nvim.until("return #vim.diagnostic.get(0)", 1)
    await nvim.keys(":Shardlight dismissHint<CR>")
    await nvim.until("return #vim.diagnostic.get(0)", 0)


async def test_a_change_by_instruction(start: Start) -> None:
    nvim = await start(ADD, {"chats": ["def add(a, b):\n    return sum((a, b))\n"]})
    await nvim.keys(":Shardlight edit use sum<CR>")
    await nvim.until_text("def add(a, b):\n    return sum((a, b))")
    # Asked for where none is given; the lines of a range alone are changed.
    await nvim.keys("u:Shardlight edit<CR>use sum<CR>")
    await nvim.until_text("def add(a, b):\n    return sum((a, b))")
    assert await nvim.told() == []


async def test_an_explanation_and_a_link_in_it(start: Start) -> None:
    code = "def one():\n    return 1\n\n\n<|>def two():\n    return one() + one()\n"
    nvim = await start(code, {"chats": [" adds `one` twice.", " calls `one`."]})
    await nvim.keys(":Shardlight explain<CR>")
    # Of a link the words are shown.
    await nvim.until(f"return ((function() {FLOAT} end)()):find('adds `one` twice.', 1, true) ~= nil")
    assert await nvim.lua("return vim.api.nvim_exec2('messages', { output = true }).output") == ""
    await nvim.lua("vim.fn.search('`one`')")
    await nvim.keys("<CR>")
    await nvim.until("return vim.fs.basename(vim.api.nvim_buf_get_name(0))", "calc.py")
    assert await nvim.lua("return vim.api.nvim_win_get_cursor(0)") == [6, 0]
    assert await nvim.lua("return #vim.api.nvim_list_wins()") == 1


TRACEBACK = """Traceback (most recent call last):
  File "/app/stats.py", line 2, in last
    return items[len(items)]
IndexError: list index out of range
"""


async def test_from_a_traceback_to_its_fix(start: Start) -> None:
    chats = [" there is none.", " it is the length.", " subtract one.", "def last(items):\n    return items[-1]\n"]
    code = "<|>def last(items):\n    return items[len(items)]\n"
    nvim = await start(code, {"chats": chats}, name="stats.py")
    await nvim.lua(f"vim.g.clipboard = false vim.fn.setreg('\"', {json.dumps(TRACEBACK)})")
    await nvim.keys(":Shardlight debug<CR>")
    await nvim.until(
        f"return ((function() {FLOAT} end)()):find('**To mend it:** You can subtract one.', 1, true) ~= nil"
    )
    await nvim.keys(":Shardlight fix<CR>")
    await nvim.keys("q")
    await nvim.until_text("def last(items):\n    return items[-1]")
    assert await nvim.told() == []


async def test_status_statistics_and_their_windows(start: Start) -> None:
    nvim = await start(ADD, {"chats": WORDS})
    await nvim.lua("""
        _G.states = {}
        vim.api.nvim_create_autocmd("User", { pattern = "ShardlightStatus", callback = function(event)
          table.insert(_G.states, event.data.state)
        end })
    """)
    await nvim.until("return require('shardlight').statusline()", "ready scripted")
    await nvim.keys(":Shardlight docstring<CR>")
    await nvim.until("return vim.list_contains(_G.states, 'busy')")
    await nvim.until_text(DOCUMENTED.rstrip())
    await nvim.until("return _G.states[#_G.states]", "ready")
    for view, wanted in {"status": "| completion | scripted | ready |", "statistics": "| all      |"}.items():
        await nvim.keys(f":Shardlight {view}<CR>")
        await nvim.until(f"return ((function() {FLOAT} end)()):find({json.dumps(wanted)}, 1, true) ~= nil")
        await nvim.keys("q")
        await nvim.until("return #vim.api.nvim_list_wins()", 1)
    assert await nvim.told() == []


LINES = {
    "loading 71%": {"state": "loading", "model": "m", "percent": 71},
    "ready qwen2.5-cod… 31 tok/s": {"state": "ready", "model": "qwen2.5-coder-1.5b", "tokensPerSecond": 31.2},
    "busy": {"state": "busy", "model": "m"},
    "no model": {"state": "missing", "model": "m"},
    "failed": {"state": "failed", "model": "m", "message": "no memory"},
}


async def test_what_fails_is_said_once_and_the_status_line_is_short(start: Start) -> None:
    setup = 'require("shardlight").setup({ command = { "/nowhere/shardlight" } })'
    nvim = await start(ADD, {"chats": [{"error": "The model is gone."}]}, setup=setup)
    await nvim.keys(":Shardlight docstring<CR>")
    await nvim.until("return #_G.told", 1)
    assert "The model is gone." in (await nvim.told())[0]
    await nvim.keys(":Shardlight nonsense<CR>")
    await nvim.until("return #_G.told", 2)
    await nvim.keys(":Shardlight plan<CR>")
    await nvim.until("return #_G.told", 3)
    for line, state in LINES.items():
        await nvim.lua(f"""
            local id = vim.lsp.get_clients()[1].id
            require("shardlight.status").told(id, vim.json.decode([[{json.dumps(state)}]]))
        """)
        assert await nvim.lua("return require('shardlight').statusline()") == line
    complete = "return vim.fn.getcompletion('Shardlight %s', 'cmdline')"
    assert await nvim.lua(complete % "pa") == ["pause"]
    assert "python" in await nvim.lua(complete % "pause py")
    assert await nvim.lua(complete % "port ru") == ["ruby", "rust"]
    await nvim.keys(":checkhealth shardlight<CR>")
    await nvim.until("return vim.bo.filetype", "checkhealth")
    assert "/nowhere/shardlight cannot be started" in await nvim.text()


async def test_a_long_message_waits_for_no_key(start: Start) -> None:
    first, second = "The model is gone. " * 10, "And it is gone\nfor good."
    chats = [{"error": first}, {"error": second}, "def add(a, b):\n    return sum((a, b))\n"]
    nvim = await start(ADD, {"chats": chats}, screen=True)
    for _ in range(2):
        await nvim.keys(":Shardlight docstring<CR>")
        await nvim.until("return #vim.api.nvim_list_wins()", 2)
    # The second one joins the first; neither takes the keys.
    await nvim.until(
        "return table.concat(vim.api.nvim_buf_get_lines(vim.fn.winbufnr(2), 0, -1, false), '\\n')",
        f"Shardlight: {first.strip()}\nShardlight: {second}",
    )
    await nvim.keys("ix<Esc>")
    await nvim.until_text(ADD.replace("<|>", "x").rstrip())
    await nvim.keys(f"u:Shardlight edit {'use sum, please, ' * 8}<CR>")
    await nvim.until_text("def add(a, b):\n    return sum((a, b))")
    await nvim.keys("gg0ix<Esc>")
    await nvim.until_text("xdef add(a, b):\n    return sum((a, b))")
    history = await nvim.lua("return vim.fn.execute('messages')")
    assert all(words in history for words in (first.strip(), "for good."))


async def test_a_server_that_dies_is_told_of_and_comes_back(start: Start) -> None:
    nvim = await start("x = <|>\n", {"infills": ["foo"]})
    await nvim.keys("A")
    await nvim.until_ghost("foo")
    nvim.server().kill()
    await nvim.until("return require('shardlight').statusline()", "failed")
    await nvim.until_ghost("")
    await nvim.keys("1 + ")
    await nvim.until_text("x = 1 + ")
    assert len(await nvim.told()) == 1
    await nvim.keys("<Esc>:Shardlight restart<CR>")
    await nvim.attached()
    await nvim.until("return require('shardlight').statusline()", "ready scripted")
    await nvim.keys("A")
    await nvim.until_ghost("foo")
    # One that is well is ended first.
    before = nvim.server().pid
    await nvim.keys("<Esc>:Shardlight restart<CR>")
    await nvim.until("return #vim.lsp.get_clients() == 0")
    await nvim.attached()
    assert nvim.server().pid != before
    assert len(await nvim.told()) == 1


PLAN = {
    "model": "some-model",
    "hardware": "this machine",
    "exact": True,
    "devices": [
        {"name": "CPU", "weights_bytes": 5e8, "kv_bytes": 1e8, "compute_bytes": 1e8}
        | {"total_bytes": 7e8, "budget_bytes": 4e9, "description": ""}
    ],
    "settings": {"n_ctx": 8192},
    "predicted": {"decode_tokens_per_s": 31.4, "prefill_tokens_per_s": 200.0},
    "reasons": ["It fits."],
    "suggestions": [],
}
MODELS = [{"name": "some-model", "installed": True, "size_bytes": 491e6}]
CHECKS = [
    {"name": "memory", "status": "ok", "detail": "8 GB", "hint": ""},
    {"name": "engine", "status": "failed", "detail": "it did not start", "hint": "Look into its log."},
]


@pytest.fixture
def command(tmp_path: Path) -> str:
    """Options with a command line that answers as ``shardlight`` does."""
    answers = {"plan": PLAN, "models": MODELS, "doctor": {"version": "1", "ok": False, "checks": CHECKS}}
    script = tmp_path / "shardlight"
    script.write_text(
        f"#!{sys.executable}\nimport json, sys\nanswers = json.loads({json.dumps(answers)!r})\n"
        "print('shardlight 1.2.3' if '--version' in sys.argv else json.dumps(answers[sys.argv[1]]))\n",
        encoding="utf-8",
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return f'require("shardlight").setup({{ command = {{ "{script}" }} }})\n'


async def test_the_plan_and_the_health_check(command: str, start: Start) -> None:
    nvim = await start(ADD, setup=command)
    await nvim.keys(":Shardlight plan<CR>")
    await nvim.until(f"return ((function() {FLOAT} end)()):find('31.4 tokens/s', 1, true) ~= nil")
    assert "* It fits." in await nvim.lua(FLOAT)
    await nvim.keys("q:checkhealth shardlight<CR>")
    report = await nvim.until(
        "return vim.bo.filetype == 'checkhealth' and table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n')"
    )
    for wanted in ("shardlight 1.2.3", "some-model, 0.5 GB", "31.4 tokens/s", "memory: 8 GB", "it did not start"):
        assert wanted in report
    assert "Look into its log." in report
    assert f"this plugin is of {__version__}" in report
    assert "completion: scripted, ready" in report


async def test_help_has_its_tags(start: Start) -> None:
    nvim = await start(
        "<|>x\n", config="vim.opt.runtimepath:append({plugin})\n_G.unused = {{ {cmd}, {cwd} }}\n", attach=False
    )
    await nvim.lua("vim.fn.mkdir(vim.fn.stdpath('data') .. '/doc', 'p')")
    tags = await nvim.lua(r"""
        local folder = vim.fn.stdpath("data") .. "/doc"
        local source = vim.api.nvim_get_runtime_file("doc/shardlight.txt", false)[1]
        vim.uv.fs_copyfile(source, folder .. "/shardlight.txt")
        vim.cmd.helptags(vim.fn.fnameescape(folder))
        return table.concat(vim.fn.readfile(folder .. "/tags"), "\n")
    """)
    for tag in ("shardlight.txt", ":Shardlight", "shardlight-keys", "shardlight.setup()", "<Plug>(shardlight-accept)"):
        assert f"{tag}\tshardlight.txt" in tags
    # No server is installed here: that is said, once.
    assert len(await nvim.told()) == 1


# What the documentation says for whoever wants no plugin.
RECIPE = """
vim.g.loaded_shardlight = 1
vim.lsp.config("shardlight", {{ cmd = {cmd}, cmd_cwd = {cwd} }})
vim.opt.runtimepath:append({plugin})
vim.lsp.enable("shardlight")
if vim.lsp.inline_completion then
  vim.lsp.inline_completion.enable()
  vim.keymap.set("i", "<Tab>", function()
    if not vim.lsp.inline_completion.get() then
      return "<Tab>"
    end
  end, {{ expr = true }})
else
  vim.o.completeopt = "menuone,noselect,popup"
  vim.keymap.set("i", "<C-Space>", vim.lsp.completion.get)
end
"""


async def test_without_the_plugin_the_config_is_enough(start: Start) -> None:
    nvim = await start(
        "x = <|>\n" + ADD.replace("<|>", ""), {"infills": ["foo"], "chats": WORDS}, config=RECIPE, attach=False
    )
    await nvim.until("return vim.fn.exists(':Shardlight') == 2 and package.loaded['shardlight'] == nil")
    await nvim.keys("A")
    if nvim.native:
        await nvim.until_ghost("foo")
        await nvim.keys("<Tab>")
    else:
        await nvim.until(
            "vim.lsp.completion.get() return vim.fn.pumvisible() == 1 and #vim.fn.complete_info().items", 1
        )
        await nvim.keys("<C-n><C-y>")
    await nvim.until("return vim.fn.getline(1)", "x = foo")
    await nvim.keys("<Esc>:3<CR>:Shardlight docstring<CR>")
    await nvim.until_text("x = foo\n" + DOCUMENTED.rstrip())
    await nvim.keys(":Shardlight status<CR>")
    await nvim.until(f"return ((function() {FLOAT} end)()):find('| completion | scripted | ready |', 1, true) ~= nil")
    # Suggestions are not the plugin's to pause.
    await nvim.keys("q:Shardlight pause<CR>")
    await nvim.until("return #_G.told", 1)
    assert "vim.lsp.inline_completion.enable(false)" in (await nvim.told())[0]


@pytest.mark.parametrize("version", ["0.12"])
async def test_without_the_plugin_lines_end_as_they_do_in_the_file(start: Start) -> None:
    block = "total = a + b\n    return total"
    before = "def add(a, b):\r\n    <|>\r\n"
    nvim = await start(before, {"infills": [block]}, config=RECIPE, attach=False)
    await nvim.until("return vim.fn.exists(':Shardlight')", 2)
    await nvim.keys("A")
    await nvim.until_ghost(block)
    await nvim.keys("<Tab>")
    await nvim.until("return vim.api.nvim_buf_line_count(0)", 3)
    await nvim.keys("<Esc>:write<CR>")
    await nvim.until("return not vim.bo.modified")
    assert nvim.file.read_bytes() == before.replace("<|>", block.replace("\n", "\r\n")).encode()


async def test_as_the_readme_had_it_with_the_plugin_there(start: Start) -> None:
    nvim = await start("x = <|>\n", {"infills": ["foo"]}, config=CONFIG + 'vim.lsp.enable("shardlight")\n')
    await nvim.keys("A")
    await nvim.until_ghost("foo")
    await nvim.keys("<Tab>")
    await nvim.until_text("x = foo")
    assert await nvim.lua("return #vim.lsp.get_clients()") == 1
    await nvim.until("return require('shardlight').statusline()", "ready scripted")
