(function_call
  name: (identifier) @_require
  arguments: (arguments . (string) @module)
  (#eq? @_require "require"))
