-- What of a suggestion is taken over at once. Bytes above 127 are taken for letters, so no character is cut.
local M = {}

function M.all(text)
  return text
end

--- What stands before the next word, and the word; or a run of signs.
function M.word(text)
  return text:match("^%s*[%w_\128-\255]+") or text:match("^%s*[^%w_%s\128-\255]+") or text
end

--- The rest of the line; at its end the next line.
function M.line(text)
  return text:match("^[^\n]+") or text:match("^\n[^\n]*") or text
end

return M
