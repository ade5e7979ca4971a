(enum_specifier
  name: (_) @name
  body: (_)) @enum

(type_definition declarator: (type_identifier) @name) @type

(declaration
  declarator: (init_declarator declarator: (identifier) @name)) @constant

(declaration
  declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
  ]) @function

(preproc_def
  name: (_) @name
  value: (_)) @constant
