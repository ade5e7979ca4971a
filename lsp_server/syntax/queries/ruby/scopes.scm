(method
  name: (_) @name) @function

(method parameters: (_) @parameters) @function

(method body: (_) @body) @function

(singleton_method
  name: (_) @name) @function

(singleton_method parameters: (_) @parameters) @function

(singleton_method body: (_) @body) @function

(class
  name: (_) @name) @class

(class body: (_) @body) @class

(module
  name: (_) @name) @module

(module body: (_) @body) @module

(comment) @comment

(call
  method: (identifier) @_raise
  arguments: (argument_list . [(constant) (scope_resolution)] @raise)
  (#eq? @_raise "raise"))

(method_parameters (identifier) @parameter.name @parameter)

(method_parameters
  [
    (optional_parameter name: (_) @parameter.name value: (_) @parameter.default)
    (keyword_parameter name: (_) @parameter.name value: (_) @parameter.default)
  ] @parameter)

(method_parameters
  (keyword_parameter name: (_) @parameter.name) @parameter)

(method_parameters
  [(splat_parameter) (hash_splat_parameter) (block_parameter)] @parameter.name @parameter)
