(method_declaration
  type: (_) @returns
  name: (_) @name
  parameters: (_) @parameters) @function

(method_declaration body: (_) @body) @function

(constructor_declaration
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(class_declaration
  name: (_) @name
  body: (_) @body) @class

(record_declaration
  name: (_) @name
  body: (_) @body) @class

(interface_declaration
  name: (_) @name
  body: (_) @body) @interface

(enum_declaration
  name: (_) @name
  body: (_) @body) @enum

[(marker_annotation) (annotation)] @attribute

[(line_comment) (block_comment)] @comment

(throws (_) @raise)

(throw_statement (object_creation_expression type: (_) @raise))

(formal_parameters
  (formal_parameter
    type: (_) @parameter.type
    name: (_) @parameter.name) @parameter)

(formal_parameters
  (spread_parameter
    (_) @parameter.type
    (variable_declarator name: (_) @parameter.name)) @parameter)
