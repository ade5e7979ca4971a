-- Ghost text by Neovim 0.12 (`vim.lsp.inline_completion`). It asks and draws. What it does not offer is done here:
-- parts, more suggestions by key, dismissing, and accepting right after something was typed, where it would insert
-- that twice. For that its insides are looked at; where they are not as known, `usable` says no, and ghost text of our
-- own takes over.
local ask = require("shardlight.ghost.ask")

local api = vim.api
local M = {}

local function insides()
  if not vim.lsp.inline_completion then
    return nil
  end
  local found, capability = pcall(require, "vim.lsp._capability")
  local completor = found and capability.all and capability.all.inline_completion
  local known = completor
    and completor.active
    and vim.iter({ "abort", "get_item", "select" }):all(function(name)
      return type(completor[name]) == "function"
    end)
  return known and completor or nil
end

---@return boolean
function M.usable()
  return insides() ~= nil
end

local function completor_of(bufnr)
  local all = insides()
  return all and all.active[bufnr]
end

--- What is shown: its rest, and where it goes. `foreign` if it is another server's.
---@param bufnr integer
function M.current(bufnr)
  local completor = completor_of(bufnr)
  if not completor or not completor.current or api.nvim_get_current_buf() ~= bufnr then
    return nil
  end
  local client_id, item = completor:get_item(completor.current._index)
  local client = client_id and vim.lsp.get_client_by_id(client_id)
  if not client or not item then
    return nil
  end
  if client.name ~= require("shardlight.client").NAME then
    return { foreign = true }
  end
  local row, column = unpack(api.nvim_win_get_cursor(0))
  local line = api.nvim_get_current_line()
  local from, to = item.range.start, item.range["end"]
  if from.line ~= row - 1 then
    return nil
  end
  local begin = vim.str_byteindex(line, client.offset_encoding, from.character, false)
  local typed = line:sub(begin + 1, column)
  if column < begin or #typed >= #item.insertText or not vim.startswith(item.insertText, typed) then
    return nil -- It is drawn still, until the answer to what was typed comes.
  end
  return {
    text = item.insertText:sub(#typed + 1),
    row = row - 1,
    column = column,
    stop = vim.str_byteindex(line, client.offset_encoding, to.character + #typed, false),
  }
end

function M.is_on(bufnr)
  return vim.lsp.inline_completion ~= nil and vim.lsp.inline_completion.is_enabled({ bufnr = bufnr })
end

--- Show suggestions in a buffer from now on.
function M.start(bufnr)
  vim.lsp.inline_completion.enable(true, { bufnr = bufnr })
end

--- Show none any more, at once.
function M.stop(bufnr)
  M.dismiss(bufnr)
  if vim.lsp.inline_completion and api.nvim_buf_is_valid(bufnr) then
    vim.lsp.inline_completion.enable(false, { bufnr = bufnr })
  end
end

function M.dismiss(bufnr)
  ask.cancel(bufnr)
  local completor = completor_of(bufnr)
  if completor then
    completor:abort()
  end
end

-- Have Neovim show these as if they had been its own answer.
local function put(bufnr, client, items, index, count)
  local completor = completor_of(bufnr)
  local state = completor and completor.client_state[client.id]
  if not state then
    return
  end
  local row, column = unpack(api.nvim_win_get_cursor(0))
  local line = api.nvim_get_current_line()
  local function position(byte)
    return { line = row - 1, character = vim.str_utfindex(line, client.offset_encoding, byte, false) }
  end
  state.items = vim.tbl_map(function(item)
    return { insertText = item.text, range = { start = position(column), ["end"] = position(item.stop) } }
  end, items)
  completor:select(index, count)
end

--- A part of it was written into the buffer; the rest stays.
function M.taken(bufnr, rest, stop)
  local client = require("shardlight.client").of(bufnr)
  if client and rest ~= "" then
    put(bufnr, client, { { text = rest, stop = stop } }, 1, false)
  end
end

--- Show another one; where only one is known the server is asked for more.
function M.cycle(bufnr, step)
  local completor = completor_of(bufnr)
  if not completor or not completor.current then
    return
  elseif completor:count_items() == 1 then
    M.trigger(bufnr, step)
  else
    vim.lsp.inline_completion.select({ bufnr = bufnr, count = step })
  end
end

--- Ask by key: also where nothing is suggested while typing, and for several.
---@param bufnr integer
---@param step? integer from the one that is shown; nil: the first is shown
function M.trigger(bufnr, step)
  local now = step and M.current(bufnr)
  ask.ask(ask.INVOKED, function(items, client)
    put(bufnr, client, items, ask.beside(items, now and now.text, step), #items > 1)
  end)
end

return M
