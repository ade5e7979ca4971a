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

function own.pause(_, words)
  require("shardlight.pause").pause(words ~= "" and words or nil)
end

function own.resume(_, words)
  require("shardlight.pause").resume(words ~= "" and words or nil)
end

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

return M
