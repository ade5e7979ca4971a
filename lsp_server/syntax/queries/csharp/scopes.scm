(method_declaration
  returns: (_) @returns
  name: (_) @name
  parameters: (_) @parameters) @function

; bundle
(method_declaration
  type: (_) @returns
  name: (_) @name
  parameters: (_) @parameters) @function

(method_declaration body: (_) @body) @function

(method_declaration (modifier "async" @async)) @function

(constructor_declaration
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(local_function_statement
  type: (_) @returns
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(class_declaration
  name: (_) @name
  body: (_) @body) @class

(record_declaration
  name: (_) @name
  body: (_) @body) @class

(interface_declaration
  name: (_) @name
  body: (_) @body) @interface

(struct_declaration
  name: (_) @name
  body: (_) @body) @struct

(attribute_list) @attribute

(comment) @comment

(throw_statement (object_creation_expression type: (_) @raise))

(parameter_list
  (parameter
    type: (_) @parameter.type
    name: (_) @parameter.name) @parameter)
