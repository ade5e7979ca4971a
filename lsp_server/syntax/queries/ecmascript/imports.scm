(import_statement
  source: (string) @module)

(import_statement
  (import_clause (named_imports (import_specifier name: (_) @name)))
  source: (string) @module)

(import_statement
  (import_clause [(identifier) @name (namespace_import "*" @name)])
  source: (string) @module)

(export_statement
  source: (string) @module)

(call_expression
  function: [(identifier) (import)] @_require
  arguments: (arguments . (string) @module .)
  (#any-of? @_require "require" "import"))
