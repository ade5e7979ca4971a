-- Lets a test drive this Neovim: a line of JSON comes in on a socket, {"lua": "return 1"}, {"keys": "ihello"} or, also
-- while Neovim waits for an answer to a question, {"now": "return 1"}; and one goes out, {"ok": 1} or {"error": "why"}.
-- Each has an id of the test's.
-- Neovim's own RPC would take a MessagePack library on the other side.
local path = assert(vim.env.SHARDLIGHT_TEST_SOCKET)

-- What the user is told. On a screen it is seen.
_G.told = {}
if vim.list_contains(vim.v.argv, "--headless") then
  vim.notify = function(text)
    table.insert(_G.told, text)
  end
end

-- What the user may choose from; asked as usual.
local select = vim.ui.select
vim.ui.select = function(items, options, on_choice)
  _G.offered = vim.tbl_map(options.format_item or tostring, items)
  select(items, options, on_choice)
end

local function run(id, code)
  local chunk = assert(loadstring(code))
  local ok, value = xpcall(chunk, debug.traceback)
  return vim.json.encode(ok and { id = id, ok = value == nil and vim.NIL or value } or { id = id, error = value }) .. "\n"
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
        peer:write(vim.json.encode({ id = request.id, ok = vim.NIL }) .. "\n")
      elseif request.now then
        peer:write(run(request.id, request.now))
      else
        vim.schedule(function()
          peer:write(run(request.id, request.lua))
        end)
      end
    end
    rest = rest:match("([^\n]*)$")
  end)
end)
