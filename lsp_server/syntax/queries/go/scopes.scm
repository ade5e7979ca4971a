(function_declaration
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(function_declaration result: (_) @returns) @function

(method_declaration
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(method_declaration result: (_) @returns) @function

(method_declaration
  receiver: (parameter_list
    (parameter_declaration
      type: [
        (type_identifier) @container
        (pointer_type (type_identifier) @container)
        (generic_type type: (_) @container)
        (pointer_type (generic_type type: (_) @container))
      ]))) @function

(type_declaration
  . (type_spec
    name: (_) @name
    type: (struct_type) @body) .) @struct

(type_declaration
  . (type_spec
    name: (_) @name
    type: (interface_type) @body) .) @interface

(comment) @comment

(parameter_list
  [
    (parameter_declaration name: (_) @parameter.name type: (_) @parameter.type)
    (variadic_parameter_declaration name: (_) @parameter.name type: (_) @parameter.type)
  ] @parameter)
