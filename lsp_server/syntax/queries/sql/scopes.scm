(create_function
  (object_reference name: (_) @name)
  (function_arguments) @parameters
  (function_body) @body) @function

(comment) @comment

(marginalia) @comment

(function_arguments
  (function_argument
    . (identifier) @parameter.name
    . (_) @parameter.type) @parameter)

; bundle
(create_function_statement
  . (_) @name
  (create_function_parameters) @parameters
  (function_body) @body) @function

; bundle
(create_function_parameters
  (create_function_parameter
    . (identifier) @parameter.name
    . (_) @parameter.type) @parameter)
