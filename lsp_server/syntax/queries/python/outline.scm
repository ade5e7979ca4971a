(module
  (expression_statement
    (assignment left: (identifier) @name)) @constant)

(module
  (type_alias_statement left: (_) @name) @type)

(class_definition
  body: (block
    (expression_statement
      (assignment left: (identifier) @name)) @field))

; Attributes of an object, wherever a method gives it them.
(assignment
  left: (attribute object: (identifier) @_self attribute: (identifier) @name)
  (#match? @_self "^(self|cls)$")) @attribute

([
  (pattern_list (attribute object: (identifier) @_self attribute: (identifier) @name) @attribute)
  (tuple_pattern (attribute object: (identifier) @_self attribute: (identifier) @name) @attribute)
  (list_pattern (attribute object: (identifier) @_self attribute: (identifier) @name) @attribute)
  (as_pattern_target (attribute object: (identifier) @_self attribute: (identifier) @name) @attribute)
  (for_statement left: (attribute object: (identifier) @_self attribute: (identifier) @name) @attribute)
]
  (#match? @_self "^(self|cls)$"))
