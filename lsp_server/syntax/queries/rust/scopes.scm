(function_item
  name: (_) @name
  parameters: (_) @parameters
  body: (_) @body) @function

(function_item return_type: (_) @returns) @function

(function_item (function_modifiers "async" @async)) @function

(function_signature_item
  name: (_) @name
  parameters: (_) @parameters) @function

(function_signature_item return_type: (_) @returns) @function

(impl_item
  type: (_) @name
  body: (_) @body) @impl

(trait_item
  name: (_) @name
  body: (_) @body) @trait

(struct_item
  name: (_) @name
  body: (_) @body) @struct

(enum_item
  name: (_) @name
  body: (_) @body) @enum

(attribute_item) @attribute

[(line_comment) (block_comment)] @comment

(parameters (self_parameter) @parameter.name @parameter)

(parameters
  (parameter
    pattern: (_) @parameter.name
    type: (_) @parameter.type) @parameter)
