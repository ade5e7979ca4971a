(program
  (lexical_declaration
    (variable_declarator name: (identifier) @name)) @constant)

(program
  (export_statement
    declaration: (lexical_declaration
      (variable_declarator name: (identifier) @name))) @constant)
