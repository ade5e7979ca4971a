(function_declaration
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(generator_function_declaration
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(method_definition
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(lexical_declaration
  . (variable_declarator
    name: (identifier) @name
    value: (arrow_function body: (_) @body)) .) @function

(lexical_declaration
  . (variable_declarator
    value: (arrow_function parameters: (_) @parameters)) .) @function

(lexical_declaration
  . (variable_declarator
    value: (arrow_function "async" @async)) .) @function

(lexical_declaration
  . (variable_declarator
    name: (identifier) @name
    value: (function_expression
      parameters: (_) @parameters
      body: (_) @body)) .) @function

(lexical_declaration
  . (variable_declarator
    value: (function_expression "async" @async)) .) @function

(expression_statement
  (assignment_expression
    left: (member_expression property: (_) @name)
    right: [
      (function_expression parameters: (_) @parameters body: (_) @body)
      (arrow_function parameters: (_) @parameters body: (_) @body)
    ])) @function

(pair
  key: (property_identifier) @name
  value: [
    (function_expression parameters: (_) @parameters body: (_) @body)
    (arrow_function parameters: (_) @parameters body: (_) @body)
  ]) @function

(lexical_declaration
  . (variable_declarator
    value: (arrow_function parameter: (_)) @parameters) .) @function

(arrow_function parameter: (_) @parameter.name @parameter)

(function_declaration "async" @async) @function

(method_definition "async" @async) @function

(class_declaration
  name: (_) @name
  body: (_) @body) @class

(export_statement) @wrapper

(decorator) @attribute

(comment) @comment

(throw_statement (new_expression constructor: (_) @raise))
