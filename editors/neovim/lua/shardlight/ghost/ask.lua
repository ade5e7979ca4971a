-- Requests for suggestions, one at a time in a buffer.
local client_of = require("shardlight.client").of

local M = {}

local METHOD = "textDocument/inlineCompletion"

M.INVOKED, M.AUTOMATIC = 1, 2

---@class shardlight.Item
---@field text string
---@field stop integer up to where it takes the place of the cursor's line, in bytes

-- The request of each buffer that goes on.
local going_on = {} ---@type table<integer, {client: vim.lsp.Client, id?: integer}>

local function give_up(request)
  if request and request.id then
    request.client:cancel_request(request.id)
  end
end

--- Give up the request of a buffer.
---@param bufnr integer
function M.cancel(bufnr)
  give_up(going_on[bufnr])
  going_on[bufnr] = nil
end

---@return shardlight.Item
local function item_of(one, line, column, encoding)
  local last = one.range and one.range["end"].character
  return {
    text = one.insertText,
    stop = last and vim.str_byteindex(line, encoding, last, false) or column,
  }
end

--- Ask for what may be written at the cursor of the current window; an answer for another place is dropped.
---@param kind integer
---@param on_items fun(items: shardlight.Item[], client: vim.lsp.Client)
function M.ask(kind, on_items)
  local bufnr = vim.api.nvim_get_current_buf()
  local client = client_of(bufnr)
  if not client or not client.server_capabilities or not client.server_capabilities.inlineCompletionProvider then
    return
  end
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local line = vim.api.nvim_get_current_line()
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local before, request = going_on[bufnr], { client = client }
  local _, id = client:request(METHOD, params, function(err, result)
    if going_on[bufnr] ~= request then
      return
    end
    going_on[bufnr] = nil
    if err or not vim.api.nvim_get_mode().mode:match("^i") or vim.api.nvim_get_current_buf() ~= bufnr then
      return -- What fails while typing is no news; the status says it.
    end
    local there = vim.api.nvim_win_get_cursor(0)
    if there[1] == row and there[2] == column and vim.api.nvim_get_current_line() == line then
      local items = result and result ~= vim.NIL and (result.items or result) or {}
      on_items(
        vim.tbl_map(function(one)
          return item_of(one, line, column, client.offset_encoding)
        end, items),
        client
      )
    end
  end, bufnr)
  request.id = id
  going_on[bufnr] = request
  -- Only now: the server goes on with an answer that another request waits for as well.
  give_up(before)
end

--- Which of several is to be shown.
---@param items shardlight.Item[]
---@param text? string the one that was shown
---@param step? integer which one from there
---@return integer
function M.beside(items, text, step)
  for index, item in ipairs(items) do
    if item.text == text then
      return (index - 1 + step) % #items + 1
    end
  end
  return step and step < 0 and math.max(#items, 1) or 1
end

return M
