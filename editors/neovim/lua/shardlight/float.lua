-- Markdown in a floating window: q closes it, Enter follows the link at the cursor.
local M = {}

local api = vim.api

local space = api.nvim_create_namespace("shardlight.links")

-- Of links the words alone are shown: Neovim breaks lines as if it showed what it conceals.
---@param line string
---@return string shown
---@return {from: integer, to: integer, target: string}[] links where they stand in it
local function without_targets(line)
  local shown, links, from = "", {}, 1
  while true do
    local begin, stop, words, target = line:find("%[([^%]]*)%]%((%a+:[^%s)]+)%)", from)
    if not begin then
      return shown .. line:sub(from), links
    end
    shown = shown .. line:sub(from, begin - 1)
    table.insert(links, { from = #shown, to = #shown + #words, target = target })
    shown, from = shown .. words, stop + 1
  end
end

-- Of the links in a line the one at the cursor, else the first.
local function at_cursor(links)
  local row, column = unpack(api.nvim_win_get_cursor(0))
  local here = links[row] or {}
  return vim.iter(here):find(function(link)
    return link.from <= column and column < link.to
  end) or here[1]
end

local function follow(link, from)
  if not link then
    return
  end
  local uri, line = link.target:match("^(.-)#L(%d+)$")
  uri = uri or link.target
  if not uri:match("^file:") then
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
  local links = {}
  local code = false
  for row, line in ipairs(lines) do
    code = code ~= (line:match("^%s*```") ~= nil)
    if not code then
      -- Neovim conceals no heading's "###".
      lines[row], links[row] = without_targets((line:gsub("^###%s+(.+)$", "**%1**")))
    end
  end
  api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  for row, here in pairs(links) do
    for _, link in ipairs(here) do
      api.nvim_buf_set_extmark(bufnr, space, row - 1, link.from, { end_col = link.to, hl_group = "Underlined" })
    end
  end
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
  vim.wo[window][0].concealcursor = "nc"
  local function key(lhs, act, desc)
    vim.keymap.set("n", lhs, act, { buffer = bufnr, nowait = true, desc = desc })
  end
  key("q", "<Cmd>close<CR>", "Close")
  key("<CR>", function()
    follow(at_cursor(links), from)
  end, "Follow the link")
end

return M
