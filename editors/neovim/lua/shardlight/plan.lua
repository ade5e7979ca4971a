-- `:Shardlight plan {model}`: where a model's parts go on this machine, and how fast it will be.
local cli = require("shardlight.cli")
local say = require("shardlight.say")

local M = {}

---@param arguments string[] as of `shardlight plan`
function M.show(arguments)
  local command = vim.list_extend({ "plan", "--json" }, arguments)
  local _, reason = cli.start(command, function(done)
    local read, plan = pcall(vim.json.decode, done.stdout or "")
    if done.code ~= 0 or not read or type(plan) ~= "table" then
      say.error("no plan: " .. cli.reason(done))
    else
      require("shardlight.views").plan(plan)
    end
  end)
  if reason then
    say.error(reason)
  end
end

return M
