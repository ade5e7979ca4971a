(abstract_class_declaration
  name: (_) @name
  body: (_) @body) @class

(interface_declaration
  name: (_) @name
  body: (_) @body) @interface

(function_declaration return_type: (_) @returns) @function

(method_definition return_type: (_) @returns) @function

(lexical_declaration
  . (variable_declarator
    value: (arrow_function return_type: (_) @returns)) .) @function

(public_field_definition
  name: (_) @name
  value: (arrow_function parameters: (_) @parameters body: (_) @body)) @function

(public_field_definition value: (arrow_function return_type: (_) @returns)) @function

(abstract_method_signature
  name: (_) @name
  parameters: (_) @parameters) @function

(abstract_method_signature return_type: (_) @returns) @function

(function_signature
  name: (_) @name
  parameters: (_) @parameters) @function

(function_signature return_type: (_) @returns) @function

(ambient_declaration) @wrapper

(formal_parameters
  [(required_parameter pattern: (_) @parameter.name) (optional_parameter pattern: (_) @parameter.name)] @parameter)

(formal_parameters
  [
    (required_parameter pattern: (_) @parameter.name type: (_) @parameter.type)
    (optional_parameter pattern: (_) @parameter.name type: (_) @parameter.type)
  ] @parameter)

(formal_parameters
  [
    (required_parameter pattern: (_) @parameter.name value: (_) @parameter.default)
    (optional_parameter pattern: (_) @parameter.name value: (_) @parameter.default)
  ] @parameter)
