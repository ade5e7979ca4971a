-- `:Shardlight {what} {words}`.
local M = {}

local LANGUAGES = {
  "c",
  "cpp",
  "csharp",
  "go",
  "java",
  "javascript",
  "kotlin",
  "lua",
  "php",
  "python",
  "ruby",
  "rust",
  "shellscript",
  "typescript",
}

-- What is no action of the server's.
local own = {}

local function pausing(act)
  return function(_, words)
    if not require("shardlight.client").has_plugin() then
      local how = "`:lua vim.lsp.inline_completion.enable(false)`"
      return require("shardlight.say").warn("without the plugin suggestions are Neovim's: " .. how)
    end
    require("shardlight.pause")[act](words ~= "" and words or nil)
  end
end

own.pause = pausing("pause")
own.resume = pausing("resume")

function own.restart()
  require("shardlight.restart").restart()
end

function own.cancel()
  require("shardlight.client").cancel()
end

function own.log()
  local path = vim.lsp.log.get_filename()
  if vim.fn.filereadable(path) == 0 then
    return require("shardlight.say").info("nothing was logged yet.")
  end
  vim.cmd.tabedit({ args = { path }, magic = { file = false } })
  vim.bo.readonly, vim.bo.modifiable = true, false
  vim.cmd("normal! G")
end

function own.plan(_, words)
  require("shardlight.plan").show(vim.split(words, "%s+", { trimempty = true }))
end

local function names()
  local all = vim.list_extend(vim.tbl_keys(own), vim.tbl_keys(require("shardlight.actions").all))
  table.sort(all)
  return all
end

--- Run the command.
---@param given table as Neovim hands it over
function M.run(given)
  local what, words = vim.trim(given.args):match("^(%S+)%s*(.*)$")
  if own[what] then
    own[what](given, words)
  elseif require("shardlight.actions").all[what] then
    require("shardlight.actions").run(what, given, words)
  else
    require("shardlight.say").error(("there is no `%s`. `:help shardlight-commands` lists them."):format(what or ""))
  end
end

local function beginning(candidates, typed)
  return vim.tbl_filter(function(one)
    return vim.startswith(one, typed)
  end, candidates)
end

--- What may come next.
---@param typed string of the last word
---@param line string
---@return string[]
function M.complete(typed, line)
  local before = vim.split(line:match("Sh%a*%s+(.*)$") or "", "%s+")
  if #before <= 1 then
    return beginning(names(), typed)
  elseif #before == 2 and (before[1] == "pause" or before[1] == "resume") then
    return vim.fn.getcompletion(typed, "filetype")
  elseif #before == 2 and before[1] == "port" then
    return beginning(LANGUAGES, typed)
  end
  return {}
end

--- Of the command, where the plugin has not made it.
M.attributes = {
  nargs = "+",
  range = true,
  complete = M.complete,
  desc = "Shardlight on the function at the cursor, or on a range",
}

return M
