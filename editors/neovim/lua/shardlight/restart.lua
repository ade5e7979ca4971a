-- End the server and start it again, in all buffers that it served.
local client = require("shardlight.client")

local M = {}

local PATIENCE_MS, STEP_MS = 5000, 50

local function once_gone(left_ms, act)
  local clients = vim.lsp.get_clients({ name = client.NAME })
  if #clients == 0 then
    return act()
  end
  if left_ms == 0 then
    for _, one in ipairs(clients) do
      one:stop(true)
    end
  end
  vim.defer_fn(function()
    once_gone(left_ms - STEP_MS, act)
  end, STEP_MS)
end

function M.restart()
  vim.lsp.enable(client.NAME, false)
  once_gone(PATIENCE_MS, function()
    require("shardlight.status").forget()
    vim.lsp.enable(client.NAME)
  end)
end

return M
