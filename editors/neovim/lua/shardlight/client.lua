-- The client of the server: what the plugin adds to lsp/shardlight.lua, and its requests.
local say = require("shardlight.say")

local M = {}

M.NAME = "shardlight"

---@param bufnr? integer 0 or nil: the current buffer
---@return vim.lsp.Client?
function M.of(bufnr)
  bufnr = (bufnr == nil or bufnr == 0) and vim.api.nvim_get_current_buf() or bufnr
  return vim.lsp.get_clients({ name = M.NAME, bufnr = bufnr })[1]
end

--- The client of a buffer, else any: for what concerns no document.
---@return vim.lsp.Client?
function M.any()
  return M.of(0) or vim.lsp.get_clients({ name = M.NAME })[1]
end

-- Requests of commands that are going on, by client and id, for `cancel`.
local going_on = {} ---@type table<string, {client: vim.lsp.Client, id: integer}>

--- Have the server run one of its commands; a reason for failing is told, a good answer handed on.
---@param client vim.lsp.Client
---@param command {command: string, arguments?: table[]}
---@param bufnr integer
---@param on_result? fun(result: any)
function M.execute(client, command, bufnr, on_result)
  local key
  local params = { command = command.command, arguments = command.arguments }
  local sent, id = client:request("workspace/executeCommand", params, function(err, result)
    if key then
      going_on[key] = nil
    end
    if err then
      say.error(err.message)
    elseif on_result and result ~= nil and result ~= vim.NIL then
      on_result(result)
    end
  end, bufnr)
  if not sent then
    say.error("the server has ended. `:Shardlight restart` starts it again.")
  elseif id then
    key = client.id .. ":" .. id
    going_on[key] = { client = client, id = id }
  end
end

--- Give up all commands that are going on.
function M.cancel()
  for _, request in pairs(going_on) do
    request.client:cancel_request(request.id)
  end
  going_on = {}
end

--- Change the server's settings while it runs.
---@param changes table as in docs/settings.md: `{ completion = { debounce_ms = 100 } }`
function M.change_settings(changes)
  vim.lsp.config(M.NAME, { settings = { shardlight = changes } })
  for _, client in ipairs(vim.lsp.get_clients({ name = M.NAME })) do
    client.settings = vim.tbl_deep_extend("force", client.settings or {}, { shardlight = changes })
    client:notify("workspace/didChangeConfiguration", { settings = client.settings })
  end
end

-- Code actions bring their command along; some of the answers are to be shown.
local function shown_by(view)
  return function(command, context)
    local client = assert(vim.lsp.get_client_by_id(context.client_id))
    M.execute(client, command, context.bufnr, function(result)
      require("shardlight.views")[view](result)
    end)
  end
end

--- What lsp/shardlight.lua returns where the plugin is loaded.
---@param plain vim.lsp.Config
---@param suggest_in_menu fun(client: vim.lsp.Client, bufnr: integer)
---@return vim.lsp.Config
function M.extend(plain, suggest_in_menu)
  local more = {
    init_options = { status = true },
    handlers = {
      ["shardlight/status"] = function(_, state, context)
        require("shardlight.status").told(context.client_id, state)
      end,
    },
    commands = {
      ["shardlight.explain"] = shown_by("explanation"),
      ["shardlight.debug"] = shown_by("failure"),
      ["shardlight.status"] = shown_by("status"),
    },
    on_exit = function(code, signal, client_id)
      vim.schedule(function()
        require("shardlight.status").gone(client_id, code, signal)
      end)
    end,
  }
  plain.on_attach = nil
  if require("shardlight.config").options.ghost_text then
    -- Neovim 0.11 does not draw inline completions, we do; without this the server offers them as completions.
    more.capabilities = { textDocument = { inlineCompletion = { dynamicRegistration = false } } }
  elseif not vim.lsp.inline_completion then
    more.on_attach = suggest_in_menu
  end
  return vim.tbl_deep_extend("force", plain, more)
end

return M
