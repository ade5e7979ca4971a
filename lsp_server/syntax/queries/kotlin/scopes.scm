(function_declaration
  name: (_) @name
  (function_value_parameters) @parameters) @function

(function_declaration (function_body) @body) @function

(function_declaration
  (function_value_parameters)
  . [(user_type) (nullable_type) (function_type)] @returns) @function

(function_declaration
  (modifiers (function_modifier "suspend" @async))) @function

(class_declaration
  name: (_) @name) @class

(class_declaration
  (class_body) @body) @class

(object_declaration
  name: (_) @name
  (class_body) @body) @object

(annotation) @attribute

[(line_comment) (block_comment)] @comment

; bundle
[(line_comment) (multiline_comment)] @comment

(throw_expression (call_expression . (_) @raise))

(function_value_parameters
  (parameter
    . (_) @parameter.name
    . (_) @parameter.type .) @parameter)

(function_value_parameters
  (parameter
    . (_) @parameter.name
    . (_) @parameter.type .) @parameter
  . "="
  . (_) @parameter.default)
