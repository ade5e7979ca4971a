-- What the user is told: one short message.
local M = {}

local function at(level)
  return function(text)
    vim.notify("Shardlight: " .. text, level)
  end
end

M.info = at(vim.log.levels.INFO)
M.warn = at(vim.log.levels.WARN)
M.error = at(vim.log.levels.ERROR)

return M
