-- Whether suggestions are paused: all of them, or those of some filetypes. Actions go on to work.
local M = {}

local everywhere = false
local filetypes = {} ---@type table<string, true>

---@param bufnr integer
---@return boolean
function M.is(bufnr)
  return everywhere or filetypes[vim.bo[bufnr].filetype] == true
end

--- What is paused, for people; nil if nothing is.
---@return string?
function M.describe()
  local names = vim.tbl_keys(filetypes)
  table.sort(names)
  return everywhere and "everywhere" or names[1] and "in " .. table.concat(names, ", ") or nil
end

local function apply()
  require("shardlight.ghost").refresh()
  require("shardlight.status").paused()
end

--- Suggest nothing any more, and ask for nothing.
---@param filetype? string nil: everywhere
function M.pause(filetype)
  if filetype then
    filetypes[filetype] = true
  else
    everywhere = true
  end
  apply()
end

--- Suggest again.
---@param filetype? string nil: everywhere
function M.resume(filetype)
  if filetype then
    filetypes[filetype] = nil
  else
    everywhere, filetypes = false, {}
  end
  apply()
end

return M
