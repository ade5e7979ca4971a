-- What the server answers, as Markdown.
local float = require("shardlight.float")

local M = {}

local function given(value)
  return value ~= nil and value ~= vim.NIL
end

local function percent(share)
  return given(share) and ("%.0f %%"):format(share * 100) or "–"
end

local function ms(time)
  return given(time) and ("%.0f ms"):format(time) or "–"
end

local function bytes(count)
  for _, unit in ipairs({ { 1e9, "GB" }, { 1e6, "MB" }, { 1e3, "kB" } }) do
    if count >= unit[1] then
      return ("%.1f %s"):format(count / unit[1], unit[2])
    end
  end
  return count .. " B"
end

local function add(lines, ...)
  return vim.list_extend(lines, { ... })
end

-- A table, the first row of which is its head, with cells below each other.
local function grid(lines, rows)
  local widths = {}
  for _, cells in ipairs(rows) do
    for column, cell in ipairs(cells) do
      widths[column] = math.max(widths[column] or 3, vim.fn.strdisplaywidth(cell))
    end
  end
  local rule = vim.tbl_map(function(width)
    return ("-"):rep(width)
  end, widths)
  table.insert(rows, 2, rule)
  for _, cells in ipairs(rows) do
    local padded = {}
    for column, cell in ipairs(cells) do
      padded[column] = cell .. (" "):rep(widths[column] - vim.fn.strdisplaywidth(cell))
    end
    add(lines, "| " .. table.concat(padded, " | ") .. " |")
  end
end

local function list(lines, title, sentences)
  if given(sentences) and sentences[1] then
    add(lines, "", "### " .. title, "")
    for _, sentence in ipairs(sentences) do
      add(lines, "* " .. sentence)
    end
  end
end

--- What `shardlight.explain` answers.
function M.explanation(result)
  float.open("Shardlight", vim.split(vim.trim(result.markdown), "\n"))
end

--- What `shardlight.debug` answers.
function M.failure(result)
  require("shardlight.actions").remember(result)
  local lines = vim.split(vim.trim(result.markdown), "\n")
  float.open("Shardlight", add(lines, "", "`:Shardlight fix` has it mended."))
end

--- What `shardlight.status` answers.
function M.status(result)
  local now = require("shardlight.status").current() or {}
  local lines = { "### State", "" }
  local message = given(now.message) and now.message ~= "" and ", " .. now.message or ""
  add(lines, "* now: " .. (now.state or "not told") .. message)
  local paused = require("shardlight.pause").describe()
  add(lines, "* suggestions: " .. (paused and "paused " .. paused or "shown"))
  local trust = result.trusted and "trusted" or "not trusted"
  add(lines, ("* server: %s, this workspace is %s"):format(result.version, trust))
  add(lines, "", "### Models", "")
  local models = { { "for", "model", "state" } }
  for _, role in ipairs({ "completion", "assistant" }) do
    local one = given(result[role]) and result[role] or {}
    table.insert(models, { role, tostring(one.model or "–"), tostring(one.state or "–") })
  end
  grid(lines, models)
  local last = result.lastAnswer
  if given(last) then
    add(lines, "", "### Last answer", "")
    local first, all = ms(last.ttftMs), ms(last.totalMs)
    add(lines, ("* %d tokens, the first after %s, all after %s"):format(last.predictedTokens, first, all))
    add(lines, ("* of %d tokens of prompt %d were known already"):format(last.promptTokens, last.reusedTokens))
  end
  float.open("Shardlight: status", lines)
end

--- What `shardlight.statistics` answers.
function M.statistics(result)
  local lines = { ("### Suggestions since %s"):format(result.since), "" }
  local rows = { { "language", "shown", "accepted", "in part", "rejected", "taken", "characters saved", "median" } }
  local function count(name, one)
    local median = ms(given(one.latencyMs) and one.latencyMs.p50 or nil)
    local taken = percent(one.acceptance)
    local figures = { one.shown, one.accepted, one.partlyAccepted, one.rejected, taken, one.savedCharacters, median }
    table.insert(rows, { name, unpack(vim.tbl_map(tostring, figures)) })
  end
  for language, figures in vim.spairs(given(result.languages) and result.languages or {}) do
    count(language, figures)
  end
  count("all", result.total)
  grid(lines, rows)
  add(lines, "", "Counted on this machine, for you alone.")
  float.open("Shardlight: statistics", lines)
end

--- What `shardlight plan --json` prints.
function M.plan(plan)
  local lines = { ("### %s on %s"):format(plan.model, plan.hardware), "" }
  local speed = plan.predicted
  local figures = { speed.decode_tokens_per_s, speed.prefill_tokens_per_s, plan.settings.n_ctx }
  add(lines, ("%.3g tokens/s answering, %.3g reading, with %d tokens of context."):format(unpack(figures)))
  add(lines, "")
  local devices = { { "device", "weights", "cache", "buffers", "total", "of" } }
  for _, one in ipairs(plan.devices) do
    local sizes = { one.weights_bytes, one.kv_bytes, one.compute_bytes, one.total_bytes, one.budget_bytes }
    table.insert(devices, { one.name, unpack(vim.tbl_map(bytes, sizes)) })
  end
  grid(lines, devices)
  list(lines, "Why", plan.reasons)
  list(lines, "Better", plan.suggestions)
  if not plan.exact then
    add(lines, "", "Sizes are from formulas; for a model and machine that are here llama.cpp is asked.")
  end
  float.open("Shardlight: plan", lines)
end

return M
