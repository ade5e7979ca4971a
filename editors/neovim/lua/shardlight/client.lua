-- The client of the server: its requests, and what lsp/shardlight.lua consists of.
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

M.commands = {
  ["shardlight.explain"] = shown_by("explanation"),
  ["shardlight.debug"] = shown_by("failure"),
  ["shardlight.status"] = shown_by("status"),
}

local LEVELS = { vim.log.levels.ERROR, vim.log.levels.WARN, vim.log.levels.INFO, vim.log.levels.INFO }

-- A question takes the keys. Whoever is writing is asked when that is over, lest it is answered by what is typed.
local function ask(err, params, context)
  local asking, is_main = coroutine.running()
  if asking and not is_main and not vim.api.nvim_get_mode().mode:match("^n") then
    say.info("there is a question; you are asked when you are back in Normal mode.")
    vim.api.nvim_create_autocmd("ModeChanged", {
      pattern = "*:n*",
      once = true,
      callback = vim.schedule_wrap(function()
        coroutine.resume(asking)
      end),
    })
    coroutine.yield()
  end
  return vim.lsp.handlers["window/showMessageRequest"](err, params, context)
end

M.handlers = {
  ["shardlight/status"] = function(_, state, context)
    require("shardlight.status").told(context.client_id, state)
  end,
  ["window/showMessage"] = function(_, params)
    say.tell("Shardlight: " .. params.message, LEVELS[params.type])
  end,
  ["window/showMessageRequest"] = ask,
  ["workspace/applyEdit"] = function(err, params, context)
    -- Neovim prints what an edit is called, and that may be an instruction of any length.
    if vim.fn.strdisplaywidth("Workspace edit " .. (params.label or "")) > vim.v.echospace then
      params.label = nil
    end
    return vim.lsp.handlers["workspace/applyEdit"](err, params, context)
  end,
}

--- In files with CRLF suggestions have it, too, as edits have. Neovim takes it out of edits, but shows "^M" in
--- suggestions and inserts it: it is taken out before Neovim sees it.
---@param client vim.lsp.Client
function M.on_init(client)
  local request = client.request
  client.request = function(self, method, params, handler, bufnr)
    if method ~= "textDocument/inlineCompletion" or not handler then
      return request(self, method, params, handler, bufnr)
    end
    return request(self, method, params, function(err, result, ...)
      for _, item in ipairs(result and (result.items or result) or {}) do
        item.insertText = item.insertText:gsub("\r\n", "\n")
      end
      return handler(err, result, ...)
    end, bufnr)
  end
end

function M.on_exit(code, signal, client_id)
  vim.schedule(function()
    require("shardlight.status").gone(client_id, code, signal)
  end)
end

-- Neovim 0.11 would insert a suggestion only up to its first blank; 0.12 inserts the first line, as this does.
-- It is asked about the items of all servers of the buffer.
local function whole_line(item)
  return item.detail == "Shardlight" and { word = item.textEdit.newText:match("[^\r\n]*") } or {}
end

--- Suggestions as items of the completion menu.
---@param client vim.lsp.Client
---@param bufnr integer
function M.suggest_in_menu(client, bufnr)
  vim.lsp.completion.enable(true, client.id, bufnr, { convert = whole_line })
end

--- Whether the plugin is loaded, which has `:Shardlight`, keys and ghost text for all buffers.
---@return boolean
function M.has_plugin()
  return vim.api.nvim_get_commands({}).Shardlight ~= nil
end

--- Where it is not, `:Shardlight` for a buffer.
---@param client vim.lsp.Client
---@param bufnr integer
function M.on_attach_alone(client, bufnr)
  if not vim.lsp.inline_completion then
    M.suggest_in_menu(client, bufnr)
  end
  local command = require("shardlight.command")
  vim.api.nvim_buf_create_user_command(bufnr, "Shardlight", command.run, command.attributes)
end

return M
