-- Ghost text of our own, by extmarks: for Neovim 0.11, and for whoever wants it.
local ask = require("shardlight.ghost.ask")

local api = vim.api
local M = {}

local space = api.nvim_create_namespace("shardlight.ghost")

-- Where suggestions stand: those for a cursor with this before it and behind it in its line.
---@class shardlight.Shown
---@field items shardlight.Item[]
---@field index integer
---@field count boolean whether it is said which of them is shown
---@field row integer
---@field before string
---@field behind string

local shown = {} ---@type table<integer, shardlight.Shown?>
local asked_at = {} ---@type table<integer, string?>
local groups = {} ---@type table<integer, integer?>

-- What was typed of a suggestion since it came; nil if it was something else.
local function typed(state)
  local row, column = unpack(api.nvim_win_get_cursor(0))
  local line = api.nvim_get_current_line()
  local begin = #state.before
  if row ~= state.row or column < begin then
    return nil
  elseif line:sub(1, begin) ~= state.before or line:sub(column + 1) ~= state.behind then
    return nil
  end
  return line:sub(begin + 1, column)
end

local function fits(item, words)
  return words ~= nil and #words < #item.text and vim.startswith(item.text, words)
end

-- The one that is shown, or another that begins with what was typed.
local function choose(state)
  local words = typed(state)
  for step = 0, #state.items - 1 do
    local index = (state.index - 1 + step) % #state.items + 1
    if fits(state.items[index], words) then
      state.index = index
      return state.items[index], words
    end
  end
end

--- What is shown: its rest, and where it goes.
---@param bufnr integer
---@return {text: string, row: integer, column: integer, stop: integer}?
function M.current(bufnr)
  local state = shown[bufnr]
  local item, words = nil, nil
  if state and api.nvim_get_current_buf() == bufnr then
    item, words = choose(state)
  end
  if not item then
    return nil
  end
  return {
    text = item.text:sub(#words + 1),
    row = state.row - 1,
    column = #state.before + #words,
    stop = item.stop + #words,
  }
end

-- Tabs have no width of their own in virtual text.
local function spelled(line, column)
  local out = ""
  for piece, tab in line:gmatch("([^\t]*)(\t?)") do
    out = out .. piece
    if tab ~= "" then
      out = out .. (" "):rep(vim.fn.strdisplaywidth("\t", column + vim.fn.strdisplaywidth(out)))
    end
  end
  return out
end

local function draw(bufnr)
  api.nvim_buf_clear_namespace(bufnr, space, 0, -1)
  local now, state = M.current(bufnr), shown[bufnr]
  if not now or not state then
    return
  end
  local line = api.nvim_get_current_line()
  local replaced, rest = line:sub(now.column + 1, now.stop), line:sub(now.stop + 1)
  local first, others = now.text:match("([^\n]*)\n?(.*)")
  local inline = true
  if replaced ~= "" then
    if others == "" and vim.endswith(first, replaced) then
      -- The closers that it brings along stand there already.
      first = first:sub(1, #first - #replaced)
    else
      inline = rest ~= ""
    end
  end
  local chunks = { { spelled(first, vim.fn.virtcol(".") - 1), "ShardlightSuggestion" } }
  local below = {}
  if others ~= "" then
    for _, text in ipairs(vim.split(others, "\n", { plain = true })) do
      table.insert(below, { { spelled(text, 0), "ShardlightSuggestion" } })
    end
  end
  if state.count and #state.items > 1 then
    table.insert(below[#below] or chunks, { (" (%d/%d)"):format(state.index, #state.items), "ShardlightMore" })
  end
  api.nvim_buf_set_extmark(bufnr, space, now.row, now.column, {
    virt_text = chunks,
    virt_text_pos = inline and "inline" or "overlay",
    virt_lines = below[1] and below or nil,
    hl_mode = "combine",
  })
end

local function put(bufnr, items, index, count)
  local row, column = unpack(api.nvim_win_get_cursor(0))
  local line = api.nvim_get_current_line()
  shown[bufnr] = items[1]
      and {
        items = items,
        index = index,
        count = count,
        row = row,
        before = line:sub(1, column),
        behind = line:sub(column + 1),
      }
    or nil
  draw(bufnr)
end

local function hide(bufnr)
  shown[bufnr] = nil
  api.nvim_buf_clear_namespace(bufnr, space, 0, -1)
end

-- Something was typed, or the cursor has moved: show what is left, and ask.
local function update(bufnr)
  if vim.fn.reg_executing() ~= "" then
    return -- A macro types by itself.
  end
  local place = table.concat({ api.nvim_buf_get_changedtick(bufnr), unpack(api.nvim_win_get_cursor(0)) }, " ")
  if place == asked_at[bufnr] then
    return -- Two events may come for one keystroke.
  end
  asked_at[bufnr] = place
  if not M.current(bufnr) then
    hide(bufnr)
  else
    draw(bufnr)
  end
  ask.ask(ask.AUTOMATIC, function(items)
    put(bufnr, items, 1, false)
  end)
end

--- Show suggestions in a buffer from now on.
---@param bufnr integer
function M.start(bufnr)
  if groups[bufnr] then
    return
  end
  groups[bufnr] = api.nvim_create_augroup("shardlight.ghost." .. bufnr, {})
  local function on(events, act)
    api.nvim_create_autocmd(events, {
      group = groups[bufnr],
      buffer = bufnr,
      callback = function()
        act(bufnr)
      end,
    })
  end
  on({ "InsertEnter", "CursorMovedI", "TextChangedI", "TextChangedP" }, update)
  on({ "InsertLeave", "BufLeave" }, M.dismiss)
  if api.nvim_get_current_buf() == bufnr and api.nvim_get_mode().mode:match("^i") then
    update(bufnr)
  end
end

--- Show none any more, at once.
---@param bufnr integer
function M.stop(bufnr)
  if groups[bufnr] then
    api.nvim_del_augroup_by_id(groups[bufnr])
    groups[bufnr] = nil
  end
  asked_at[bufnr] = nil
  ask.cancel(bufnr)
  if api.nvim_buf_is_valid(bufnr) then
    hide(bufnr)
  end
end

---@param bufnr integer
function M.dismiss(bufnr)
  asked_at[bufnr] = nil
  ask.cancel(bufnr)
  hide(bufnr)
end

--- A part of it was written into the buffer; the rest stays.
---@param bufnr integer
---@param rest string
---@param stop integer
function M.taken(bufnr, rest, stop)
  if rest == "" then
    hide(bufnr)
  else
    put(bufnr, { { text = rest, stop = stop } }, 1, false)
  end
end

--- Show another one; where only one is known the server is asked for more.
---@param bufnr integer
---@param step integer
function M.cycle(bufnr, step)
  local state = shown[bufnr]
  if not state or not M.current(bufnr) then
    return
  end
  if #state.items == 1 then
    return M.trigger(bufnr, step)
  end
  local words = typed(state)
  for _ = 1, #state.items do
    state.index = (state.index - 1 + step) % #state.items + 1
    if fits(state.items[state.index], words) then
      break
    end
  end
  state.count = true
  draw(bufnr)
end

--- Ask by key: also where nothing is suggested while typing, and for several.
---@param bufnr integer
---@param step? integer from the one that is shown; nil: the first is shown
function M.trigger(bufnr, step)
  local now = step and M.current(bufnr)
  ask.ask(ask.INVOKED, function(items)
    put(bufnr, items, ask.beside(items, now and now.text, step), true)
  end)
end

return M
