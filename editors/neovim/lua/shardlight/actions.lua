-- The actions of `:Shardlight {action}`, which are the server's commands without their prefix: what each is told, and
-- how its answer is shown.
local client = require("shardlight.client")
local say = require("shardlight.say")

local M = {}

---@class shardlight.Action
---@field about "position"|"range"|"selection"|"file"|"problem"|"hint"|"text"|"nothing"
---@field asks? {field: string, prompt: string}
---@field view? string a function of shardlight.views

---@type table<string, shardlight.Action>
M.all = {
  edit = { about = "range", asks = { field = "instruction", prompt = "What is to be changed? " } },
  port = { about = "range", asks = { field = "language", prompt = "Into which language? " } },
  extractFunction = { about = "range" },
  fix = { about = "problem" },
  explain = { about = "selection", view = "explanation" },
  findBugs = { about = "position" },
  findBugsInFile = { about = "file" },
  dismissHint = { about = "hint" },
  debug = { about = "text", view = "failure" },
  statistics = { about = "nothing", view = "statistics" },
  status = { about = "nothing", view = "status" },
}
for _, name in ipairs({
  "docstring",
  "classDocstring",
  "missingDocstrings",
  "addTypes",
  "unitTests",
  "classTests",
  "fileTests",
  "simplify",
  "optimise",
  "toAsync",
  "split",
  "renameVariables",
  "fromComment",
}) do
  M.all[name] = { about = "position" }
end

-- What `shardlight.debug` has found last, for `fix`.
local failure = nil

---@param found {uri: string, range: table, problem: string}
function M.remember(found)
  failure = { uri = found.uri, range = found.range, problem = found.problem }
end

local function diagnostics_here(ours)
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  return vim.tbl_filter(function(one)
    return (one.source == "shardlight") == ours
  end, vim.diagnostic.get(0, { lnum = line }))
end

-- The lines that were given with the command, else the cursor.
local function range_of(given, position)
  if given.range == 0 then
    return { start = position, ["end"] = position }
  end
  return { start = { line = given.line1 - 1, character = 0 }, ["end"] = { line = given.line2, character = 0 } }
end

-- What an action is told; nil and a reason where there is nothing to be told.
local arguments = {}

function arguments.nothing()
  return {}
end

function arguments.position(_, at)
  return { { uri = at.textDocument.uri, position = at.position } }
end

function arguments.range(given, at)
  return { { uri = at.textDocument.uri, position = at.position, range = range_of(given, at.position) } }
end

function arguments.selection(given, at)
  return given.range > 0 and arguments.range(given, at) or arguments.position(given, at)
end

function arguments.file(_, at)
  return { { uri = at.textDocument.uri } }
end

function arguments.problem(given, at)
  local problem = diagnostics_here(false)[1]
  if problem then
    return { { uri = at.textDocument.uri, range = range_of(given, at.position), problem = problem.message } }
  elseif failure then
    return { failure }
  end
  return nil, "no problem is reported on this line, and `:Shardlight debug` has found none."
end

function arguments.hint(_, at)
  local hint = diagnostics_here(true)[1]
  if hint then
    return { { uri = at.textDocument.uri, message = hint.message } }
  end
  return nil, "there is no bug hint on this line."
end

function arguments.text()
  local text = vim.fn.getreg("+")
  text = text ~= "" and text or vim.fn.getreg('"')
  if text ~= "" then
    return { { text = text } }
  end
  return nil, "copy what the program said first."
end

--- Run an action.
---@param name string
---@param given {range: integer, line1: integer, line2: integer} the command's
---@param words string what was written behind its name
function M.run(name, given, words)
  local action = M.all[name]
  local bufnr = vim.api.nvim_get_current_buf()
  local anywhere = vim.list_contains({ "nothing", "text", "problem" }, action.about)
  local server = client.of(bufnr) or (anywhere and client.any() or nil)
  if not server then
    return say.warn("no server is here. `:Shardlight restart` starts one, `:checkhealth shardlight` says more.")
  end
  local at = vim.lsp.util.make_position_params(0, server.offset_encoding)
  local told, reason = arguments[action.about](given, at)
  if not told then
    return say.warn(reason)
  end
  -- What there is to be said of an edit, the server says itself.
  local view = action.view and require("shardlight.views")[action.view]
  local function send()
    client.execute(server, { command = "shardlight." .. name, arguments = told }, bufnr, view)
  end
  if not action.asks then
    return send()
  end
  local function said(answer)
    if answer and answer ~= "" then
      told[1][action.asks.field] = answer
      send()
    end
  end
  if words ~= "" then
    said(words)
  else
    vim.ui.input({ prompt = action.asks.prompt }, said)
  end
end

return M
