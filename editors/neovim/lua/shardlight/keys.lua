-- The default keys. None takes anything away: they act while a suggestion is shown, and do else what they did before.
local M = {}

local OTHERWISE = "<Plug>(shardlight-otherwise)"

-- The buffer's own mappings that were there before ours, by buffer and key.
local before = {} ---@type table<integer, table<string, table|false>>

local function raw(keys)
  return vim.api.nvim_replace_termcodes(keys, true, true, true)
end

local function global_mapping(key)
  local wanted = raw(key)
  for _, mapping in ipairs(vim.api.nvim_get_keymap("i")) do
    if mapping.lhsraw == wanted or mapping.lhsrawalt == wanted then
      return mapping
    end
  end
end

-- What a key does without us: a mapping that was there is run as it was defined, under another name.
local function otherwise(key, own)
  local mapping = own or global_mapping(key)
  if not mapping then
    return key
  end
  local copy = vim.tbl_extend("force", mapping, { lhs = OTHERWISE, lhsraw = raw(OTHERWISE), buffer = 0 })
  copy.lhsrawalt = nil
  vim.fn.mapset("i", false, copy)
  return OTHERWISE
end

local function map(bufnr, key, name, own)
  local desc = ("Shardlight: %s a suggestion, where one is shown"):format(name)
  vim.keymap.set("i", key, function()
    -- With a menu open the keys are the menu's.
    local ours = name == "trigger" or (vim.fn.pumvisible() == 0 and require("shardlight.ghost").visible())
    return ours and ("<Plug>(shardlight-%s)"):format(name) or otherwise(key, own)
  end, { buffer = bufnr, expr = true, remap = true, desc = desc })
end

--- Make the keys for a buffer that the server serves.
---@param bufnr integer
function M.attach(bufnr)
  local keys = require("shardlight.config").options.keys
  if not keys or before[bufnr] then
    return
  end
  before[bufnr] = {}
  vim.api.nvim_buf_call(bufnr, function()
    for option, key in pairs(keys) do
      local name = option:gsub("_", "-")
      local there = key and vim.fn.maparg(key, "i", false, true) or {}
      local taken = next(there) ~= nil
      local mapped_by_you = vim.fn.hasmapto(("<Plug>(shardlight-%s)"):format(name), "i") == 1
      -- Only the key that accepts goes together with another mapping; that one runs where nothing is suggested.
      if key and not mapped_by_you and (option == "accept" or not taken) then
        local own = there.buffer == 1 and there or nil
        before[bufnr][key] = own or false
        map(bufnr, key, name, own)
      end
    end
  end)
end

--- Give a buffer its keys back.
---@param bufnr integer
function M.detach(bufnr)
  if before[bufnr] and vim.api.nvim_buf_is_valid(bufnr) then
    vim.api.nvim_buf_call(bufnr, function()
      for key, own in pairs(before[bufnr]) do
        pcall(vim.keymap.del, "i", key, { buffer = bufnr })
        if own then
          vim.fn.mapset("i", false, own)
        end
      end
    end)
  end
  before[bufnr] = nil
end

return M
