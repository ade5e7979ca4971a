(program
  [
    (interface_declaration name: (_) @name) @interface
    (type_alias_declaration name: (_) @name) @type
    (enum_declaration name: (_) @name) @enum
  ])

(program
  (export_statement
    declaration: (interface_declaration name: (_) @name)) @interface)

(program
  (export_statement
    declaration: (type_alias_declaration name: (_) @name)) @type)

(program
  (export_statement
    declaration: (enum_declaration name: (_) @name)) @enum)

(class_body
  (public_field_definition name: (_) @name) @field)
