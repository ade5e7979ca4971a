-- Makes the command and the keys that can be mapped, and starts Shardlight when Neovim has started, unless your
-- init.lua has. Loads nothing else. Switch it off with `vim.g.loaded_shardlight = 1` before it is read.
if vim.g.loaded_shardlight then
  return
end
vim.g.loaded_shardlight = 1

if vim.fn.has("nvim-0.11") == 0 then
  vim.notify("Shardlight needs Neovim 0.11 or newer.", vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command("Shardlight", function(given)
  require("shardlight.command").run(given)
end, {
  nargs = "+",
  range = true,
  complete = function(...)
    return require("shardlight.command").complete(...)
  end,
  desc = "Shardlight on the function at the cursor, or on a range",
})

local function plug(name, act)
  vim.keymap.set("i", ("<Plug>(shardlight-%s)"):format(name), function()
    act(require("shardlight.ghost"))
  end, { desc = "Shardlight: " .. name })
end

plug("accept", function(ghost)
  ghost.accept("all")
end)
plug("accept-word", function(ghost)
  ghost.accept("word")
end)
plug("accept-line", function(ghost)
  ghost.accept("line")
end)
plug("next", function(ghost)
  ghost.cycle(1)
end)
plug("previous", function(ghost)
  ghost.cycle(-1)
end)
plug("dismiss", function(ghost)
  ghost.dismiss()
end)
plug("trigger", function(ghost)
  ghost.trigger()
end)

-- lsp/shardlight.lua says more where the plugin is; what was made of it before is out of date.
if package.loaded["vim.lsp"] then
  vim.lsp.config("shardlight", {})
end

local function start()
  local shardlight = require("shardlight")
  if not shardlight.is_set_up() then
    shardlight.setup()
  end
end

if vim.v.vim_did_enter == 1 then
  -- A plugin manager loads this; `setup` with your options follows.
  vim.schedule(start)
else
  vim.api.nvim_create_autocmd("VimEnter", { once = true, callback = start, desc = "Start Shardlight" })
end
