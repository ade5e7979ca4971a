-- Shardlight's client for Neovim 0.11 and newer. `vim.lsp.enable("shardlight")` finds it on the runtimepath, with the
-- plugin and without (`vim.g.loaded_shardlight = 1`).
local client = require("shardlight.client")

---@type vim.lsp.Config
local config = {
  cmd = { "shardlight", "serve" },
  root_markers = { ".git", "pyproject.toml", "package.json", "go.mod", "Cargo.toml" },
  -- Whether generated tests may be run. Neovim does not know whom you trust, so it is yours to say.
  init_options = { trusted = false, status = true },
  commands = client.commands,
  handlers = client.handlers,
  on_init = client.on_init,
  on_exit = client.on_exit,
}

if not client.has_plugin() then
  config.on_attach = client.on_attach_alone
elseif require("shardlight.config").options.ghost_text then
  -- Neovim 0.11 does not draw inline completions, we do; without this the server offers them as completions.
  config.capabilities = { textDocument = { inlineCompletion = { dynamicRegistration = false } } }
elseif not vim.lsp.inline_completion then
  config.on_attach = client.suggest_in_menu
end
return config
