-- Lets a test drive this Neovim: a line of JSON comes in on a socket, {"lua": "return 1"} or {"keys": "ihello"}, and
-- one goes out, {"ok": 1} or {"error": "why"}. Neovim's own RPC would take a MessagePack library on the other side.
local path = assert(vim.env.SHARDLIGHT_TEST_SOCKET)

-- What the user is told.
_G.told = {}
vim.notify = function(text)
  table.insert(_G.told, text)
end

local function run(request)
  local chunk = assert(loadstring(request.lua))
  local ok, value = xpcall(chunk, debug.traceback)
  return ok and { ok = value == nil and vim.NIL or value } or { error = value }
end

local server = assert(vim.uv.new_pipe())
assert(server:bind(path))
server:listen(1, function()
  local peer = assert(vim.uv.new_pipe())
  server:accept(peer)
  local rest = ""
  peer:read_start(function(_, data)
    rest = rest .. (data or "")
    for line in rest:gmatch("(.-)\n") do
      local request = vim.json.decode(line)
      if request.keys then
        -- Also while Neovim waits for an answer to a question.
        vim.api.nvim_input(request.keys)
        peer:write('{"ok": null}\n')
      else
        vim.schedule(function()
          peer:write(vim.json.encode(run(request)) .. "\n")
        end)
      end
    end
    rest = rest:match("([^\n]*)$")
  end)
end)
