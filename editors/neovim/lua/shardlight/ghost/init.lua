-- Suggestions as ghost text: where they are shown, by whom, and taking them over.
local own = require("shardlight.ghost.own")
local native = require("shardlight.ghost.native")
local parts = require("shardlight.ghost.parts")

local api = vim.api
local M = {}

-- Who shows them in a buffer that the server serves; false while it is paused.
local backends = {} ---@type table<integer, table|false>

local function chosen(bufnr)
  local wanted = require("shardlight.config").options.ghost_text
  if not wanted or require("shardlight.pause").is(bufnr) then
    return false
  end
  return wanted ~= "own" and native.usable() and native or own
end

-- Buffers in which you have switched on Neovim's yourself, before they were paused.
local yours = {} ---@type table<integer, true?>

local function apply(bufnr)
  local before, now = backends[bufnr], chosen(bufnr)
  if before and before ~= now then
    before.stop(bufnr)
  end
  if not before and require("shardlight.pause").is(bufnr) and native.is_on(bufnr) then
    yours[bufnr] = true
  end
  if now ~= native and (now == own or yours[bufnr]) then
    native.stop(bufnr)
  end
  if not now and yours[bufnr] and not require("shardlight.pause").is(bufnr) then
    yours[bufnr] = nil
    native.start(bufnr)
  end
  backends[bufnr] = now
  if now then
    now.start(bufnr)
  end
end

--- A buffer is served.
---@param bufnr integer
function M.attach(bufnr)
  vim.api.nvim_set_hl(0, "ShardlightSuggestion", {
    link = vim.fn.hlexists("ComplHint") == 1 and "ComplHint" or "NonText",
    default = true,
  })
  vim.api.nvim_set_hl(0, "ShardlightMore", {
    link = vim.fn.hlexists("ComplHintMore") == 1 and "ComplHintMore" or "MoreMsg",
    default = true,
  })
  apply(bufnr)
end

--- A buffer is not served any more.
---@param bufnr integer
function M.detach(bufnr)
  if backends[bufnr] then
    backends[bufnr].stop(bufnr)
  end
  backends[bufnr] = nil
end

--- Show or hide as it is now wanted, in a buffer or in all.
---@param bufnr? integer
function M.refresh(bufnr)
  for _, one in ipairs(bufnr and { bufnr } or vim.tbl_keys(backends)) do
    if backends[one] ~= nil then
      apply(one)
    end
  end
end

local function here()
  local bufnr = api.nvim_get_current_buf()
  return backends[bufnr] or nil, bufnr
end

--- Whether a suggestion is shown in the current buffer.
---@return boolean
function M.visible()
  local backend, bufnr = here()
  return backend ~= nil and backend.current(bufnr) ~= nil
end

--- Write a suggestion, or its next part, into the buffer; false if none is shown.
---@param part "all"|"word"|"line"
---@return boolean
function M.accept(part)
  local backend, bufnr = here()
  local now = backend and backend.current(bufnr)
  if not backend or not now then
    return false
  end
  if now.foreign then
    return vim.lsp.inline_completion.get({ bufnr = bufnr })
  end
  local piece = parts[part](now.text)
  local rest = now.text:sub(#piece + 1)
  backend.dismiss(bufnr)
  -- A break in the undo sequence: what was typed before stays when this is undone.
  vim.bo[bufnr].undolevels = vim.bo[bufnr].undolevels
  local lines = vim.split(piece, "\n", { plain = true })
  -- The closers behind the cursor stay until all of it is there.
  api.nvim_buf_set_text(bufnr, now.row, now.column, now.row, rest == "" and now.stop or now.column, lines)
  local column = #lines[#lines] + (#lines == 1 and now.column or 0)
  api.nvim_win_set_cursor(0, { now.row + #lines, column })
  backend.taken(bufnr, rest, column + now.stop - now.column)
  return true
end

--- Show the next suggestion, or the one before.
---@param step integer
function M.cycle(step)
  local backend, bufnr = here()
  if backend then
    backend.cycle(bufnr, step)
  end
end

--- Take the suggestion away until something is typed.
function M.dismiss()
  local backend, bufnr = here()
  if backend then
    backend.dismiss(bufnr)
  end
end

--- Ask for suggestions, also where none come by themselves.
function M.trigger()
  local backend, bufnr = here()
  if backend then
    backend.trigger(bufnr)
  end
end

return M
