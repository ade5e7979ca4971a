-- Markdown in a floating window: q closes it, Enter follows the link at the cursor.
local M = {}

local api = vim.api

-- Of the links in a line the one at the cursor, else the first.
local function link_at_cursor()
  local line, column = api.nvim_get_current_line(), api.nvim_win_get_cursor(0)[2] + 1
  local first
  local from = 1
  while true do
    local begin, stop, target = line:find("%[[^%]]*%]%(([^%s)]+)%)", from)
    if not begin then
      return first
    elseif column >= begin and column <= stop then
      return target
    end
    first, from = first or target, stop + 1
  end
end

local function follow(from)
  local target = link_at_cursor()
  local uri, line = (target or ""):match("^(.-)#L(%d+)$")
  uri = uri or target
  if not uri then
    return
  elseif not uri:match("^file:") then
    return vim.ui.open(uri)
  end
  api.nvim_win_close(0, true)
  if api.nvim_win_is_valid(from) then
    api.nvim_set_current_win(from)
  end
  local place = { line = math.max((tonumber(line) or 1) - 1, 0), character = 0 }
  vim.lsp.util.show_document({ uri = uri, range = { start = place, ["end"] = place } }, "utf-8", { focus = true })
end

-- Lines that a width holds, as Neovim wraps them.
local function height_of(lines, width)
  local height = 0
  for _, line in ipairs(lines) do
    height = height + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / width))
  end
  return height
end

--- Show Markdown, and go there.
---@param title string
---@param lines string[]
function M.open(title, lines)
  local from = api.nvim_get_current_win()
  local bufnr = api.nvim_create_buf(false, true)
  api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].bufhidden = "wipe"
  vim.bo[bufnr].modifiable = false
  local width = math.max(20, math.min(90, vim.o.columns - 6))
  local height = math.max(1, math.min(height_of(lines, width), vim.o.lines - 6))
  local window = api.nvim_open_win(bufnr, true, {
    relative = "editor",
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = math.max(0, math.floor((vim.o.columns - width) / 2)),
    width = width,
    height = height,
    style = "minimal",
    border = "rounded",
    title = (" %s "):format(title),
  })
  -- Some installations have no parser for Markdown, and Neovim complains of that.
  vim.cmd("silent! setlocal filetype=markdown")
  if not vim.treesitter.highlighter.active[bufnr] then
    vim.bo[bufnr].syntax = "markdown"
  end
  vim.wo[window][0].wrap = true
  vim.wo[window][0].linebreak = true
  vim.wo[window][0].conceallevel = 2
  local function key(lhs, act, desc)
    vim.keymap.set("n", lhs, act, { buffer = bufnr, nowait = true, desc = desc })
  end
  key("q", "<Cmd>close<CR>", "Close")
  key("<CR>", function()
    follow(from)
  end, "Follow the link")
end

return M
