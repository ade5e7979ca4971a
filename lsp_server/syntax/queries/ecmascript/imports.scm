(import_statement
  source: (string) @module)

(import_statement
  (import_clause (named_imports (import_specifier name: (_) @name alias: (identifier)? @alias)))
  source: (string) @module
  (#not-eq? @name "default"))

; What a default export is called here is the best guess of its name there.
(import_statement
  (import_clause (named_imports (import_specifier name: _ @_default alias: (identifier) @name)))
  source: (string) @module
  (#eq? @_default "default"))

(import_statement
  (import_clause (identifier) @name)
  source: (string) @module)

(import_statement
  (import_clause (namespace_import "*" @name (identifier) @alias))
  source: (string) @module)

(export_statement
  source: (string) @module)

(export_statement
  (export_clause (export_specifier name: (_) @name alias: (_)? @alias))
  source: (string) @module
  (#not-eq? @name "default"))

(export_statement
  (export_clause (export_specifier name: _ @_default alias: (_) @name))
  source: (string) @module
  (#eq? @_default "default"))

(export_statement
  "*" @name
  source: (string) @module)

(call_expression
  function: [(identifier) (import)] @_require
  arguments: (arguments . (string) @module .)
  (#any-of? @_require "require" "import"))
