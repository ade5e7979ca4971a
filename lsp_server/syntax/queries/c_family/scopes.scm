(function_definition
  type: (_) @returns
  declarator: (function_declarator
    declarator: (identifier) @name
    parameters: (_) @parameters) @declarator
  body: (_) @body) @function

(function_definition
  type: (_) @returns
  declarator: (pointer_declarator
    declarator: (function_declarator
      declarator: (identifier) @name
      parameters: (_) @parameters) @declarator)
  body: (_) @body) @function

(function_definition
  type: (_) @returns
  declarator: (pointer_declarator
    declarator: (pointer_declarator
      declarator: (function_declarator
        declarator: (identifier) @name
        parameters: (_) @parameters) @declarator))
  body: (_) @body) @function

(comment) @comment

(parameter_list
  (parameter_declaration
    (type_qualifier)? @parameter.type
    type: (_) @parameter.type
    declarator: [
      (identifier) @parameter.name
      (pointer_declarator declarator: (identifier) @parameter.name)
      (pointer_declarator declarator: (pointer_declarator declarator: (identifier) @parameter.name))
      (array_declarator declarator: (identifier) @parameter.name)
    ]) @parameter)

(parameter_list
  (parameter_declaration
    declarator: (function_declarator
      declarator: (parenthesized_declarator
        (pointer_declarator declarator: (identifier) @parameter.name)))) @parameter)
