(function_declaration
  name: (_) @name
  parameters: (_) @parameters) @function

(function_declaration body: (_) @body) @function

(variable_declaration) @wrapper

(assignment_statement
  (variable_list . name: (_) @name .)
  (expression_list . value: (function_definition parameters: (_) @parameters) .)) @function

(assignment_statement
  (expression_list . value: (function_definition body: (_) @body) .)) @function

(comment) @comment

(parameters [(identifier) (vararg_expression)] @parameter.name @parameter)

; bundle
(local_function_definition_statement
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

; bundle
(function_definition_statement
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

; bundle
(parameter_list [(identifier) (vararg_expression)] @parameter.name @parameter)
