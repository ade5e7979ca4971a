(function_definition
  declarator: (function_declarator
    declarator: [(field_identifier) (qualified_identifier) (destructor_name) (operator_name) (identifier)] @name
    parameters: (_) @parameters) @declarator
  body: (_) @body) @function

(function_definition
  type: (_) @returns
  declarator: (function_declarator
    declarator: [(field_identifier) (qualified_identifier) (operator_name)] @name
    parameters: (_) @parameters) @declarator
  body: (_) @body) @function

(function_definition
  type: (_) @returns
  declarator: [
    (pointer_declarator
      declarator: (function_declarator
        declarator: [(field_identifier) (qualified_identifier)] @name
        parameters: (_) @parameters) @declarator)
    (reference_declarator
      (function_declarator
        declarator: [(identifier) (field_identifier) (qualified_identifier)] @name
        parameters: (_) @parameters) @declarator)
  ]
  body: (_) @body) @function

(class_specifier
  name: (_) @name
  body: (_) @body) @class

(struct_specifier
  name: (_) @name
  body: (_) @body) @struct

(template_declaration) @wrapper

(throw_statement (call_expression function: (_) @raise))

(parameter_list
  (parameter_declaration
    (type_qualifier)? @parameter.type
    type: (_) @parameter.type
    declarator: (reference_declarator (identifier) @parameter.name)) @parameter)

(parameter_list
  (optional_parameter_declaration
    (type_qualifier)? @parameter.type
    type: (_) @parameter.type
    declarator: [
      (identifier) @parameter.name
      (reference_declarator (identifier) @parameter.name)
      (pointer_declarator declarator: (identifier) @parameter.name)
    ]
    default_value: (_) @parameter.default) @parameter)
