(call
  method: (identifier) @_require
  arguments: (argument_list . (string) @module)
  (#any-of? @_require "require" "require_relative"))
