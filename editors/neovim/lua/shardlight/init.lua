-- What the plugin offers to your configuration.
local M = {}

local set_up = false

function M.is_set_up()
  return set_up
end

-- Ghost text and keys for every buffer that the server serves.
local function follow_buffers()
  local group = vim.api.nvim_create_augroup("shardlight", {})
  local function attach(bufnr)
    require("shardlight.ghost").attach(bufnr)
    require("shardlight.keys").attach(bufnr)
  end
  local function on(event, act)
    vim.api.nvim_create_autocmd(event, { group = group, callback = act })
  end
  local function ours(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    return client and client.name == "shardlight"
  end
  on("LspAttach", function(event)
    if ours(event) then
      attach(event.buf)
    end
  end)
  on("LspDetach", function(event)
    if ours(event) then
      require("shardlight.ghost").detach(event.buf)
      require("shardlight.keys").detach(event.buf)
    end
  end)
  on("FileType", function(event)
    if require("shardlight.client").of(event.buf) then
      require("shardlight.ghost").refresh(event.buf)
    end
  end)
  for _, client in ipairs(vim.lsp.get_clients({ name = "shardlight" })) do
    vim.iter(vim.tbl_keys(client.attached_buffers)):each(attach)
  end
end

--- Start Shardlight; done with the defaults if you do not.
---@param options? shardlight.Options
function M.setup(options)
  set_up = true
  require("shardlight.config").set(options)
  options = require("shardlight.config").options
  vim.cmd.runtime("plugin/shardlight.lua")
  vim.lsp.config("shardlight", {
    cmd = options.cmd,
    init_options = options.trusted ~= nil and { trusted = options.trusted } or nil,
    settings = options.settings and { shardlight = options.settings } or nil,
  })
  follow_buffers()
  local config = vim.lsp.config.shardlight
  if not config then
    require("shardlight.say").error("the folder of the plugin is not on the runtimepath.")
  elseif type(config.cmd) == "table" and vim.fn.executable(config.cmd[1]) == 0 then
    require("shardlight.say").warn(("%s is not there. `:checkhealth shardlight` says more."):format(config.cmd[1]))
  elseif options.enable then
    vim.lsp.enable("shardlight")
  end
end

--- A few words for a status line: "loading 71%", "ready qwen2.5-cod… 31 tok/s", "paused"; empty without a server.
---@param bufnr? integer
---@return string
function M.statusline(bufnr)
  return require("shardlight.status").line(bufnr)
end

--- The state that the buffer's server told last; docs/lsp.md has the fields.
---@param bufnr? integer
---@return table?
function M.status(bufnr)
  return require("shardlight.status").current(bufnr)
end

--- Suggest nothing any more, everywhere or in a filetype.
---@param filetype? string
function M.pause(filetype)
  require("shardlight.pause").pause(filetype)
end

--- Suggest again.
---@param filetype? string
function M.resume(filetype)
  require("shardlight.pause").resume(filetype)
end

--- Whether suggestions are paused in a buffer.
---@param bufnr? integer
---@return boolean
function M.is_paused(bufnr)
  return require("shardlight.pause").is(bufnr or 0)
end

--- Change the server's settings while it runs: `settings({ completion = { debounce_ms = 100 } })`.
---@param changes table
function M.settings(changes)
  require("shardlight.client").change_settings(changes)
end

--- Whether a suggestion is shown in the current buffer.
---@return boolean
function M.visible()
  return require("shardlight.ghost").visible()
end

--- Take over a suggestion; false if none is shown.
---@param part? "all"|"word"|"line"
---@return boolean
function M.accept(part)
  return require("shardlight.ghost").accept(part or "all")
end

return M
