(function_definition
  name: (identifier) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(function_definition
  return_type: (_) @returns) @function

(function_definition
  "async" @async) @function

(function_definition
  body: (block . (expression_statement . [(string) (concatenated_string)] @docstring .))) @function

(class_definition
  name: (identifier) @name
  body: (_) @body) @class

(class_definition
  body: (block . (expression_statement . [(string) (concatenated_string)] @docstring .))) @class

(module . (comment)* . (expression_statement . [(string) (concatenated_string)] @docstring .)) @file

(decorated_definition) @wrapper

(decorator) @attribute

; Not `raise error`, which raises again what was caught, and not `raise make_error()`.
(raise_statement
  . [(identifier) (attribute)] @raise
  (#match? @raise "^_*[A-Z]|\\._*[A-Z]"))

(raise_statement
  . (call function: [(identifier) (attribute)] @raise)
  (#match? @raise "^_*[A-Z]|\\._*[A-Z]"))

(parameters [(identifier) (list_splat_pattern) (dictionary_splat_pattern)] @parameter.name @parameter)

(parameters
  (typed_parameter
    . [(identifier) (list_splat_pattern) (dictionary_splat_pattern)] @parameter.name
    type: (_) @parameter.type) @parameter)

(parameters
  (default_parameter
    name: (_) @parameter.name
    value: (_) @parameter.default) @parameter)

(parameters
  (typed_default_parameter
    name: (_) @parameter.name
    type: (_) @parameter.type
    value: (_) @parameter.default) @parameter)
