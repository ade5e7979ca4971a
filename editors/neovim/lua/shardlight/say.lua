-- What the user is told. After a message that does not fit into its line Neovim waits for Enter, whatever you are doing
-- when it comes: such a one is shown in a corner for a while, and `:messages` has it.
local M = {}

local api = vim.api
local SHOWN_MS = 12000
local BORDERS = { [vim.log.levels.WARN] = "DiagnosticWarn", [vim.log.levels.ERROR] = "DiagnosticError" }

local shown = {} ---@type string[]
local window ---@type integer?

-- Stays where nothing can be closed, while the command-line window is open.
local function close()
  if not window or not api.nvim_win_is_valid(window) or pcall(api.nvim_win_close, window, true) then
    window = nil
  end
end

local function in_corner(text, level)
  close()
  -- What came just before stays with it.
  vim.list_extend(shown, vim.split(text, "\n"))
  local count = #shown
  local bufnr = api.nvim_create_buf(false, true)
  vim.bo[bufnr].bufhidden = "wipe"
  api.nvim_buf_set_lines(bufnr, 0, -1, false, shown)
  local widest = vim.iter(shown):map(vim.fn.strdisplaywidth):fold(1, math.max)
  window = api.nvim_open_win(bufnr, false, {
    relative = "editor",
    anchor = "SE",
    row = vim.o.lines - vim.o.cmdheight - 1,
    col = vim.o.columns,
    width = math.max(1, math.min(widest, 80, vim.o.columns - 4)),
    height = 1,
    style = "minimal",
    border = "rounded",
    focusable = false,
    noautocmd = true,
  })
  vim.wo[window][0].wrap = true
  vim.wo[window][0].linebreak = true
  vim.wo[window][0].winhighlight = "FloatBorder:" .. (BORDERS[level] or "FloatBorder")
  api.nvim_win_set_height(window, math.min(api.nvim_win_text_height(window, {}).all, math.max(1, vim.o.lines - 6)))
  vim.defer_fn(function()
    if count == #shown then
      close()
      shown = {}
    end
  end, SHOWN_MS)
end

-- Somebody else's shows messages in a way of its own.
local function is_neovims(notify)
  local source = debug.getinfo(notify, "S").source
  return source == "?" or vim.startswith(source, "@vim/")
end

---@param text string
---@param level integer
function M.tell(text, level)
  local fits = not text:find("\n") and vim.fn.strdisplaywidth(text) <= vim.v.echospace
  -- Where no window can be opened, in the command-line window, there is only the line.
  if fits or not is_neovims(vim.notify) or not pcall(in_corner, text, level) then
    return vim.notify(text, level)
  end
  -- Drawn over at once, within one command, it gets into the history without a wait.
  for _, line in ipairs(vim.split(text, "\n")) do
    vim.cmd("echomsg " .. vim.fn.string(line) .. " | redraw")
  end
end

local function at(level)
  return function(text)
    M.tell("Shardlight: " .. text, level)
  end
end

M.info = at(vim.log.levels.INFO)
M.warn = at(vim.log.levels.WARN)
M.error = at(vim.log.levels.ERROR)

return M
