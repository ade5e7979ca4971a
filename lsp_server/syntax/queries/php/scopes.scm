(function_definition
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(function_definition return_type: (_) @returns) @function

(method_declaration
  name: (_) @name
  parameters: (_) @parameters) @function

(method_declaration body: (_) @body) @function

(method_declaration return_type: (_) @returns) @function

(class_declaration
  name: (_) @name
  body: (_) @body) @class

(interface_declaration
  name: (_) @name
  body: (_) @body) @interface

(trait_declaration
  name: (_) @name
  body: (_) @body) @trait

(enum_declaration
  name: (_) @name
  body: (_) @body) @enum

(attribute_list) @attribute

(comment) @comment

(throw_expression (object_creation_expression . (name) @raise))

(formal_parameters
  [
    (simple_parameter name: (_) @parameter.name)
    (variadic_parameter name: (_) @parameter.name)
    (property_promotion_parameter name: (_) @parameter.name)
  ] @parameter)

(formal_parameters
  (simple_parameter
    type: (_) @parameter.type
    name: (_) @parameter.name) @parameter)

(formal_parameters
  (simple_parameter
    name: (_) @parameter.name
    default_value: (_) @parameter.default) @parameter)
