(import_declaration (scoped_identifier) @module)

(import_declaration
  (scoped_identifier) @module
  (asterisk) @name)
