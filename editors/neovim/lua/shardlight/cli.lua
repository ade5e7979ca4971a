-- The command line `shardlight`, for what needs no server.
local M = {}

--- How it is started: as the server is, without its `serve`.
---@return string[]
function M.command()
  local given = require("shardlight.config").options.command
  local config = vim.lsp.config.shardlight
  local cmd = config and config.cmd
  if given then
    return given
  end
  for index, word in ipairs(type(cmd) == "table" and cmd or {}) do
    if word == "serve" then
      return vim.list_slice(cmd, 1, index - 1)
    end
  end
  return { "shardlight" }
end

--- Start it.
---@param arguments string[]
---@param on_done? fun(done: vim.SystemCompleted)
---@return vim.SystemObj? process nil, and a reason, if it cannot be started
---@return string? reason
function M.start(arguments, on_done)
  local command = vim.list_extend(vim.list_slice(M.command()), arguments)
  local started, process = pcall(vim.system, command, { text = true }, on_done and vim.schedule_wrap(on_done))
  if not started then
    return nil, ("%s cannot be started. `:checkhealth shardlight` says more."):format(command[1])
  end
  return process
end

--- The last line that says anything: why it failed.
---@param done vim.SystemCompleted
---@return string
function M.reason(done)
  local lines = vim.split(vim.trim(done.stderr ~= "" and done.stderr or done.stdout or ""), "\n")
  return lines[#lines] ~= "" and lines[#lines] or ("it ended with code %d"):format(done.code)
end

return M
