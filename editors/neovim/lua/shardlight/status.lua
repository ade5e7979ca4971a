-- The state of the models, as the servers tell it, in words for a status line.
local M = {}

-- By client; one for each workspace.
local states = {} ---@type table<integer, table>

local function changed(state)
  vim.api.nvim_exec_autocmds("User", { pattern = "ShardlightStatus", modeline = false, data = state })
  vim.cmd.redrawstatus({ bang = true })
end

--- A server has told its state.
---@param client_id integer
---@param state table the parameters of `shardlight/status`
function M.told(client_id, state)
  for name, value in pairs(state) do
    state[name] = value ~= vim.NIL and value or nil
  end
  states[client_id] = state
  changed(state)
end

--- A server has ended. Neovim says so where that was not meant.
function M.gone(client_id, code, signal)
  local failed = code ~= 0 or (signal ~= 0 and signal ~= 15)
  states[client_id] = failed
      and {
        state = "failed",
        model = "",
        message = "The server has ended. `:Shardlight restart` starts it again, `:Shardlight log` may say why.",
      }
    or nil
  changed(states[client_id] or { state = "stopped", model = "" })
end

--- Suggestions were paused, or go on.
function M.paused()
  changed(M.current() or { state = "stopped", model = "" })
end

--- Forget servers that have ended.
function M.forget()
  for id in pairs(states) do
    if not vim.lsp.get_client_by_id(id) then
      states[id] = nil
    end
  end
end

--- The state of a buffer's server, as it told it; of one that has ended, if there is no other.
---@param bufnr? integer
---@return table?
function M.current(bufnr)
  local client = require("shardlight.client").of(bufnr) or require("shardlight.client").any()
  if client and states[client.id] then
    return states[client.id]
  end
  local last
  for id in pairs(states) do
    last = math.max(last or id, id)
  end
  return last and states[last]
end

-- Of a model that is named by its file, the file's name.
local function short(model)
  model = vim.fs.basename(model):gsub("%.gguf$", "")
  return vim.fn.strchars(model) > 12 and vim.fn.strcharpart(model, 0, 11) .. "…" or model
end

local function with_percent(word, state)
  return state.percent and ("%s %d%%"):format(word, state.percent) or word
end

--- A few words on a buffer's server: "ready qwen2.5-cod… 31 tok/s"; empty where there is none.
---@param bufnr? integer
---@return string
function M.line(bufnr)
  local state = M.current(bufnr)
  if not state then
    return ""
  end
  bufnr = (bufnr == nil or bufnr == 0) and vim.api.nvim_get_current_buf() or bufnr
  if state.state ~= "failed" and require("shardlight.pause").is(bufnr) then
    return "paused"
  elseif state.state == "downloading" or state.state == "loading" then
    return with_percent(state.state, state)
  elseif state.state == "missing" then
    return "no model"
  elseif state.state == "ready" then
    local speed = state.tokensPerSecond and ("%.0f tok/s"):format(state.tokensPerSecond)
    return table.concat({ "ready", short(state.model), speed }, " ")
  end
  return state.state
end

return M
