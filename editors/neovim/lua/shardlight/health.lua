-- `:checkhealth shardlight`: is everything here that it takes, and if not, what to do.
local cli = require("shardlight.cli")
local client = require("shardlight.client")
local version = require("shardlight.version")

local health = vim.health
local M = {}

-- `doctor` has the engine load its model, which may take a while on a slow disk, and a busy machine is slow in all.
local PATIENCE_MS = 120000
local STATUS_MS = 10000

local INSTALL = {
  "Install it: `pip install .` in the repository of Shardlight.",
  "If it is not on the PATH: `require('shardlight').setup{ cmd = { '/path/to/shardlight', 'serve' } }`.",
}

local function neovim()
  health.start("Neovim")
  local own = tostring(vim.version())
  if vim.fn.has("nvim-0.11") == 0 then
    health.error(own .. " is too old", { "Shardlight needs Neovim 0.11 or newer." })
  elseif require("shardlight.ghost.native").usable() then
    health.ok(own .. ", which shows suggestions by itself")
  else
    health.ok(own .. "; the plugin shows suggestions")
  end
  if not require("shardlight").is_set_up() and not vim.lsp.is_enabled(client.NAME) then
    health.warn("not started", { "`vim.lsp.enable('shardlight')`, or `require('shardlight').setup()`." })
  end
end

-- The processes run beside each other; each is waited for where its answer is shown.
local function start_all()
  local wanted = {
    version = { "--version" },
    models = { "models", "list", "--json" },
    plan = { "plan", "--json" },
    doctor = { "doctor", "--json" },
  }
  local processes, reason = {}, nil
  for name, arguments in pairs(wanted) do
    processes[name], reason = cli.start(arguments)
    if reason then
      return nil, reason
    end
  end
  return processes
end

-- One that has ended, and why it failed if it did.
local function ended(processes, name)
  local done = processes[name]:wait(PATIENCE_MS)
  if done.code == 124 then
    return done, ("no answer within %d s"):format(PATIENCE_MS / 1000)
  end
  return done, cli.reason(done)
end

local function answer(processes, name)
  local done, reason = ended(processes, name)
  local read, value = pcall(vim.json.decode, done.stdout or "", { luanil = { object = true } })
  return read and value or nil, reason
end

local function binary(processes)
  health.start("Command line")
  local done, reason = ended(processes, "version")
  if done.code ~= 0 then
    return health.error(reason, INSTALL)
  end
  local said = vim.trim(done.stdout)
  health.ok(("%s (%s)"):format(said, table.concat(cli.command(), " ")))
  if said ~= "shardlight " .. version then
    health.warn(("this plugin is of %s"):format(version), { "Have the plugin and the server of one release." })
  end
end

local function doctor(processes)
  health.start("This machine, by `shardlight doctor`")
  local report, reason = answer(processes, "doctor")
  if not report or not report.checks then
    return health.error(reason, { "Run `shardlight doctor` in a terminal." })
  end
  local tell = { ok = health.ok, warning = health.warn, failed = health.error }
  for _, check in ipairs(report.checks) do
    local hint = check.hint and check.hint ~= "" and check.status ~= "ok" and { check.hint } or nil
    tell[check.status](("%s: %s"):format(check.name, check.detail), hint)
  end
end

local function models(processes)
  health.start("Models, by `shardlight models list`")
  local rows, reason = answer(processes, "models")
  if not rows then
    return health.error(reason, { "Run `shardlight models list` in a terminal." })
  end
  local here = vim.tbl_filter(function(row)
    return row.installed
  end, rows)
  for _, row in ipairs(here) do
    health.ok(("%s, %.1f GB"):format(row.name, row.size_bytes / 1e9))
  end
  if not here[1] then
    health.warn("no model is here", {
      "`shardlight models pull qwen2.5-coder-1.5b`, or another of `shardlight models list`.",
      "Or agree when you are asked, the first time that a model is needed.",
    })
  end
end

local function plan(processes)
  health.start("Plan, by `shardlight plan`")
  local found, reason = answer(processes, "plan")
  if not found or not found.predicted then
    return health.warn(reason, { "`shardlight plan MODEL` makes one of a model that is not here." })
  end
  health.ok(("%s: %.3g tokens/s answering, %.3g reading"):format(
    found.model,
    found.predicted.decode_tokens_per_s,
    found.predicted.prefill_tokens_per_s
  ))
  for _, suggestion in ipairs(found.suggestions or {}) do
    health.info(suggestion)
  end
end

local function server()
  health.start("Server")
  local clients = vim.lsp.get_clients({ name = client.NAME })
  if not clients[1] then
    return health.info("none runs; open a file. If none starts then, `:Shardlight log` may say why.")
  end
  for _, one in ipairs(clients) do
    local params = { command = "shardlight.status", arguments = {} }
    local answered = one:request_sync("workspace/executeCommand", params, STATUS_MS)
    local where = one.root_dir or "no workspace"
    local said = answered and answered.result
    if not said then
      health.error(("the one in %s does not answer"):format(where), { "`:Shardlight restart`" })
    else
      health.ok(("%s in %s"):format(said.version, where))
      for _, role in ipairs({ "completion", "assistant" }) do
        health.info(("%s: %s, %s"):format(role, said[role].model, said[role].state))
      end
      if not said.trusted then
        health.info("not trusted: generated tests are offered untried (`trusted = true` in `setup`)")
      end
    end
  end
  local state = require("shardlight.status").current()
  if state and state.state == "failed" then
    health.error(state.message, { "`:Shardlight restart`, `:Shardlight log`" })
  end
  if require("shardlight.pause").describe() then
    health.info("suggestions are paused " .. require("shardlight.pause").describe() .. " (`:Shardlight resume`)")
  end
end

function M.check()
  neovim()
  local processes, reason = start_all()
  if not processes then
    health.start("Command line")
    health.error(reason, INSTALL)
  else
    binary(processes)
    models(processes)
    plan(processes)
    doctor(processes)
  end
  server()
end

return M
