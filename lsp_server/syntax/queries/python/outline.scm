(module
  (expression_statement
    (assignment left: (identifier) @name)) @constant)

(module
  (type_alias_statement left: (_) @name) @type)

(class_definition
  body: (block
    (expression_statement
      (assignment left: (identifier) @name)) @field))
