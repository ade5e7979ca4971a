-- Shardlight's client for Neovim 0.11 and newer; `vim.lsp.enable("shardlight")` finds it on the runtimepath.

-- The actions of `:Shardlight {action}`, which are the server's commands without their prefix.
local actions = {
  "docstring",
  "classDocstring",
  "missingDocstrings",
  "addTypes",
  "unitTests",
  "classTests",
  "fileTests",
  "simplify",
  "optimise",
  "toAsync",
  "split",
  "renameVariables",
  "fromComment",
  "edit",
  "port",
  "extractFunction",
  "explain",
  "debug",
  "findBugs",
  "findBugsInFile",
  "status",
}

-- A handler that hands a good answer on and tells the reason for a bad one.
local function on_result(show)
  return function(err, result)
    if err then
      vim.notify("Shardlight: " .. err.message, vim.log.levels.ERROR)
    elseif result then
      show(result)
    end
  end
end

local function show_markdown(result)
  local lines = vim.split(result.markdown, "\n", { trimempty = true })
  vim.lsp.util.open_floating_preview(lines, "markdown", {
    border = "rounded",
    focus_id = "shardlight",
    max_width = 90,
    wrap = true,
  })
end

local function show_status(result)
  vim.notify(vim.inspect(result))
end

-- Some answers are to be shown. Neovim calls these functions instead of sending the command itself.
local function shown_by(show)
  return function(command, context)
    local client = assert(vim.lsp.get_client_by_id(context.client_id))
    local params = { command = command.command, arguments = command.arguments }
    client:request("workspace/executeCommand", params, on_result(show), context.bufnr)
  end
end

-- `:Shardlight edit use a dict` changes the function at the cursor, with a range before it those lines; likewise
-- `:Shardlight port go`.
local function run(client, bufnr, given)
  local action, instruction = given.args:match("^(%S+)%s*(.*)$")
  local command = { title = action, command = "shardlight." .. action }
  local function send()
    client:exec_cmd(command, { bufnr = bufnr })
  end
  if action == "status" then
    return send()
  end
  if action == "debug" then
    command.arguments = { { text = vim.fn.getreg("+") } }
    return send()
  end
  local at = vim.lsp.util.make_position_params(0, client.offset_encoding)
  local argument = { uri = at.textDocument.uri, position = at.position }
  command.arguments = { argument }
  local needs = { edit = "instruction", port = "language" }
  if not needs[action] and action ~= "extractFunction" then
    return send()
  end
  argument.range = { start = at.position, ["end"] = at.position }
  if given.range > 0 then
    argument.range = {
      start = { line = given.line1 - 1, character = 0 },
      ["end"] = { line = given.line2, character = 0 },
    }
  end
  if action == "extractFunction" then
    return send()
  end
  local function said(words)
    if words and words ~= "" then
      argument[needs[action]] = words
      send()
    end
  end
  if instruction ~= "" then
    said(instruction)
  else
    local prompt = action == "port" and "Into which language? " or "What is to be changed? "
    vim.ui.input({ prompt = prompt }, said)
  end
end

-- Neovim 0.11 would insert a suggestion only up to its first blank; 0.12 inserts the first line, as this does.
-- It is asked about the items of all servers of the buffer.
local function whole_line(item)
  return item.detail == "Shardlight" and { word = item.textEdit.newText:match("[^\n]*") } or {}
end

local function suggest_in_menu(client, bufnr)
  vim.lsp.completion.enable(true, client.id, bufnr, { convert = whole_line })
end

---@type vim.lsp.Config
local config = {
  cmd = { "shardlight", "serve" },
  root_markers = { ".git", "pyproject.toml", "package.json", "go.mod", "Cargo.toml" },
  -- Whether generated tests may be run. Neovim does not know whom you trust, so it is yours to say.
  init_options = { trusted = false },
  commands = {
    ["shardlight.explain"] = shown_by(show_markdown),
    ["shardlight.debug"] = shown_by(show_markdown),
    ["shardlight.status"] = shown_by(show_status),
  },
  on_attach = function(client, bufnr)
    if not vim.lsp.inline_completion then
      suggest_in_menu(client, bufnr)
    end
    vim.api.nvim_buf_create_user_command(bufnr, "Shardlight", function(command)
      run(client, bufnr, command)
    end, {
      nargs = "+",
      range = true,
      complete = function(typed)
        return vim.tbl_filter(function(action)
          return vim.startswith(action, typed)
        end, actions)
      end,
      desc = "Shardlight on the function at the cursor, or on a range",
    })
  end,
}

-- Where the plugin is loaded it has its own `:Shardlight`, views and ghost text. None of it is needed here.
if vim.api.nvim_get_commands({}).Shardlight then
  return require("shardlight.client").extend(config, suggest_in_menu)
end
return config
