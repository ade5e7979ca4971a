(method_declaration
  (modifiers [(marker_annotation name: (identifier) @_test) (annotation name: (identifier) @_test)])
  name: (identifier) @name
  (#any-of? @_test "Test" "ParameterizedTest" "RepeatedTest")) @case
