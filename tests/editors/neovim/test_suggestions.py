"""Suggestions as ghost text: shown, accepted, and what the keys do else."""

from __future__ import annotations

import pytest

from tests.editors.neovim.conftest import Neovim, Start
from tests.support.adding import BODY

BLOCK = "total = a + b\n    return total"
# What may follow a suggestion is not worked out then, and each request is one to the model.
ALONE = 'require("shardlight").setup({ settings = { completion = { look_ahead = false } } })\n'
OWN = 'require("shardlight").setup({ ghost_text = "own" })\n'


async def test_a_suggestion_is_shown_and_taken_whole(start: Start) -> None:
    nvim = await start(BODY, {"infills": [BLOCK, ""]})
    await nvim.keys("A")
    await nvim.until_ghost(BLOCK)
    await nvim.keys("<Tab>")
    await nvim.until_text("def add(a, b):\n    total = a + b\n    return total\n\n\nz = 1")
    assert await nvim.lua("return vim.api.nvim_win_get_cursor(0)") == [3, 16]
    # It is undone by itself, without what was typed before.
    await nvim.keys("<Esc>u")
    await nvim.until_text("def add(a, b):\n    \n\n\nz = 1")
    assert await nvim.told() == []


async def test_word_by_word_and_line_by_line(start: Start) -> None:
    await _by_parts(await start(BODY, {"infills": [BLOCK, ""]}))


@pytest.mark.parametrize("version", ["0.12"])
async def test_own_ghost_text_can_be_wanted_in_newer_versions(start: Start) -> None:
    await _by_parts(await start(BODY, {"infills": [BLOCK, ""]}, setup=OWN))


async def _by_parts(nvim: Neovim) -> None:
    await nvim.keys("A")
    await nvim.until_ghost(BLOCK)
    await nvim.keys("<M-Right><M-Right><M-Right>")
    await nvim.until_text("def add(a, b):\n    total = a\n\n\nz = 1")
    await nvim.until_ghost(" + b\n    return total")
    await nvim.keys("<M-C-Right>")
    await nvim.until_text("def add(a, b):\n    total = a + b\n\n\nz = 1")
    await nvim.until_ghost("\n    return total")
    await nvim.keys("<M-C-Right>")
    await nvim.until_text("def add(a, b):\n    total = a + b\n    return total\n\n\nz = 1")
    await nvim.until_ghost("")


async def test_what_is_typed_of_a_suggestion_is_not_inserted_twice(start: Start) -> None:
    nvim = await start(BODY, {"infills": [BLOCK, ""]})
    await nvim.keys("A")
    await nvim.until_ghost(BLOCK)
    await nvim.keys("tot<Tab>")
    await nvim.until_text("def add(a, b):\n    total = a + b\n    return total\n\n\nz = 1")


async def test_closers_behind_the_cursor_give_way(start: Start) -> None:
    nvim = await start("a = b = 1\nprint(<|>)\n", {"infills": ["a, b)", ""]})
    await nvim.keys("i")
    await nvim.until("return require('shardlight').visible()")
    await nvim.keys("<M-Right>")
    await nvim.until_text("a = b = 1\nprint(a)")
    await nvim.until("return require('shardlight').visible()")
    await nvim.keys("<Tab>")
    await nvim.until_text("a = b = 1\nprint(a, b)")


async def test_next_previous_dismiss_and_trigger(start: Start) -> None:
    nvim = await start("x = <|>\n", {"infills": ["foo", *["foo", "bar", "foo"] * 2]}, setup=ALONE)
    await nvim.keys("A")
    await nvim.until_ghost("foo")
    await nvim.keys("<M-]>")
    await nvim.until_ghost("bar (2/2)")
    await nvim.keys("<M-[>")
    await nvim.until_ghost("foo (1/2)")
    await nvim.keys("<C-]>")
    await nvim.until_ghost("")
    await nvim.keys("<M-\\>")
    await nvim.until_ghost("foo (1/2)")
    await nvim.keys("<M-]>")
    await nvim.until_ghost("bar (2/2)")
    await nvim.keys("<Tab>")
    await nvim.until_text("x = bar")


TABS = {
    "": "a  ",
    "vim.keymap.set('i', '<Tab>', 'mapped')": "amapped",
    "vim.keymap.set('i', '<Tab>', function() return 'ex' end, { expr = true })": "aex",
    "vim.cmd([[inoremap <expr> <Tab> pumvisible() ? 'p' : 'v']])": "av",
    "vim.cmd([[inoremap zz twice]]) vim.cmd([[imap <Tab> zz]])": "atwice",
    "vim.cmd([[autocmd BufReadPre * inoremap <buffer> <Tab> own]])": "aown",
}


async def test_tab_without_a_suggestion_does_what_it_did(start: Start) -> None:
    nvim = await start("x = 1  # a<|>\n")
    for mapping, wanted in TABS.items():
        # What is mapped after the plugin was loaded counts, and what a buffer had mapped when it was attached.
        await nvim.lua(mapping)
        await nvim.lua("vim.cmd.enew() vim.cmd.bwipeout('#')")
        await nvim.lua(f"vim.cmd.edit(vim.fn.fnameescape({str(nvim.file)!r}))")
        await nvim.attached()
        await nvim.until("return (vim.fn.maparg('<Tab>', 'i', false, true).desc or ''):match('Shardlight') ~= nil")
        await nvim.keys("A<Tab><Esc>")
        await nvim.until("return vim.fn.mode() .. vim.api.nvim_get_current_line()", f"nx = 1  # {wanted}")
        await nvim.keys("u")
        await nvim.until("return vim.api.nvim_get_current_line()", "x = 1  # a")
    assert await nvim.begun() == 0


async def test_a_key_that_there_is_not_is_named(start: Start) -> None:
    nvim = await start("x = <|>\n")
    why = await nvim.lua("return select(2, pcall(require('shardlight').setup, { keys = { acept = '<C-y>' } }))")
    assert "there is no `acept`" in why


async def test_keys_that_are_in_use_stay_as_they_are(start: Start) -> None:
    setup = """
        vim.keymap.set("i", "<M-]>", "mine")
        vim.keymap.set("i", "<C-y>", "<Plug>(shardlight-accept)")
    """
    nvim = await start("x = <|>\n", {"infills": ["foo", ""]}, setup=setup)
    assert await nvim.lua("return vim.fn.maparg('<M-]>', 'i')") == "mine"
    # Accepting has a key of the user's own, so Tab is not needed.
    assert "Shardlight" not in str(await nvim.lua("return vim.fn.maparg('<Tab>', 'i', false, true).desc or ''"))
    await nvim.keys("A")
    await nvim.until_ghost("foo")
    await nvim.keys("<C-y>")
    await nvim.until_text("x = foo")
    # Without the server, without its keys.
    await nvim.lua("vim.lsp.enable('shardlight', false)")
    await nvim.until("return vim.fn.maparg('<M-Right>', 'i') == ''")


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
async def test_the_bytes_of_a_file_with_wide_characters_and_tabs(end: str, start: Start) -> None:
    before = "größe = '👩‍👩‍👧 漢字'\nclass A:\n\tdef f(self, größe):\n\t\t<|>\n\n\nz = 1\n".replace("\n", end)
    block = "self.漢, größe = '😀', größe\n\t\tif größe:\n\t\t\treturn '🎉'"
    nvim = await start(before, {"infills": [block, ""]})
    await nvim.keys("A")
    await nvim.until("return require('shardlight').visible()")
    shown = await nvim.ghost()
    assert "\r" not in shown
    assert shown in (block, block.expandtabs(int(await nvim.lua("return vim.bo.tabstop"))))
    await nvim.keys("<M-Right><M-Right><M-Right>, <Tab>")
    await nvim.until("return vim.api.nvim_win_get_cursor(0)[1]", 6)
    await nvim.keys("<Esc>:write<CR>")
    await nvim.until("return not vim.bo.modified")
    assert nvim.file.read_bytes() == before.replace("<|>", block.replace("\n", end)).encode()


async def test_while_paused_nothing_is_asked_for(start: Start) -> None:
    nvim = await start("x = <|>\n", {"infills": ["foo"], "hold": True}, setup=ALONE)
    await nvim.keys("A")
    await nvim.until("return require('shardlight.client').any():request_sync('test/state', {}).result.goingOn == 1")
    # What is going on is given up.
    await nvim.keys("<Cmd>Shardlight pause<CR>")
    await nvim.until("return require('shardlight.client').any():request_sync('test/state', {}).result.goingOn == 0")
    assert await nvim.lua("return require('shardlight').statusline()") == "paused"
    begun = await nvim.begun()
    await nvim.keys("1 + <M-\\>")
    await nvim.until_text("x = 1 + ")
    assert await nvim.begun() == begun
    await nvim.lua("require('shardlight.client').any():notify('test/release', vim.empty_dict())")
    await nvim.keys("<Cmd>Shardlight resume<CR>2 * ")
    await nvim.until_ghost("foo")
    # Of one filetype, at once.
    await nvim.keys("<Cmd>Shardlight pause python<CR>")
    await nvim.until_ghost("")
    assert await nvim.lua("return require('shardlight').is_paused()")
    await nvim.lua("vim.bo.filetype = 'lua'")
    assert not await nvim.lua("return require('shardlight').is_paused()")


async def test_settings_are_changed_while_it_runs(start: Start) -> None:
    nvim = await start("x = <|>\n", {"infills": ["foo"]}, setup=ALONE)
    await nvim.lua("""
        local answer = vim.lsp.handlers["workspace/configuration"]
        vim.lsp.handlers["workspace/configuration"] = function(...)
          local settings = answer(...)
          _G.enabled = settings[1].completion.enabled
          return settings
        end
        require("shardlight").settings({ completion = { enabled = false } })
    """)
    # The server asks what has changed.
    await nvim.until("return _G.enabled == false")
    assert await nvim.begun() == 0
    await nvim.keys("A1 + ")
    await nvim.until_text("x = 1 + ")
    assert await nvim.begun() == 0
    await nvim.lua("require('shardlight').settings({ completion = { enabled = true } })")
    await nvim.until("return _G.enabled")
    assert await nvim.begun() == 0
    await nvim.keys("2 + ")
    await nvim.until_ghost("foo")
    assert await nvim.lua("return vim.lsp.get_clients()[1].settings.shardlight.completion") == {
        "enabled": True,
        "look_ahead": False,
    }


@pytest.mark.parametrize("version", ["0.11"])
async def test_without_ghost_text_suggestions_are_in_the_menu(start: Start) -> None:
    setup = 'require("shardlight").setup({ ghost_text = false })\nvim.o.completeopt = "menuone,noselect"'
    nvim = await start("x = <|>\n", {"infills": ["foo"]}, setup=setup)
    await nvim.keys("A")
    await nvim.until("vim.lsp.completion.get() return vim.fn.pumvisible()", 1)
    await nvim.keys("<C-n><C-y>")
    await nvim.until_text("x = foo")
