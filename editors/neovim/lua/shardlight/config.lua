-- The options of `setup`.
local M = {}

---@class shardlight.Options
---@field enable? boolean Start the server for every file. If not, call `vim.lsp.enable("shardlight")` yourself.
---@field cmd? string[] How the server is started.
---@field command? string[] The command line, for `:Shardlight plan` and the health check; else as in `cmd`.
---@field trusted? boolean Whether generated tests of the code that you open may be run.
---@field settings? table The server's settings.
---@field ghost_text? boolean|"native"|"own" Whether suggestions are shown while you type, and by whom.
---@field keys? table<string, string|false>|false

---@type shardlight.Options
local defaults = {
  enable = true,
  cmd = nil,
  command = nil,
  trusted = nil,
  settings = nil,
  ghost_text = true,
  keys = {
    accept = "<Tab>",
    accept_word = "<M-Right>",
    accept_line = "<M-C-Right>",
    next = "<M-]>",
    previous = "<M-[>",
    dismiss = "<C-]>",
    trigger = "<M-\\>",
  },
}

M.options = vim.deepcopy(defaults)

---@param given? shardlight.Options
function M.set(given)
  given = given or {}
  vim.validate("enable", given.enable, "boolean", true)
  vim.validate("cmd", given.cmd, "table", true)
  vim.validate("command", given.command, "table", true)
  vim.validate("trusted", given.trusted, "boolean", true)
  vim.validate("settings", given.settings, "table", true)
  vim.validate("ghost_text", given.ghost_text, function(value)
    return vim.list_contains({ true, false, "native", "own" }, value)
  end, true, 'true, false, "native" or "own"')
  vim.validate("keys", given.keys, function(value)
    for option in pairs(type(value) == "table" and value or {}) do
      if not defaults.keys[option] then
        return false, ("there is no `%s`"):format(option)
      end
    end
    return value == false or type(value) == "table"
  end, true, "a table, or false")
  M.options = vim.tbl_deep_extend("force", defaults, given)
end

return M
