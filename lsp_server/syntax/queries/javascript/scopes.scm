(field_definition
  property: (_) @name
  value: (arrow_function parameters: (_) @parameters body: (_) @body)) @function

(formal_parameters [(identifier) (rest_pattern) (object_pattern) (array_pattern)] @parameter.name @parameter)

(formal_parameters
  (assignment_pattern
    left: (_) @parameter.name
    right: (_) @parameter.default) @parameter)
