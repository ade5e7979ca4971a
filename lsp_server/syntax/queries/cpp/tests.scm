(function_definition
  declarator: (function_declarator
    declarator: (identifier) @_test
    parameters: (parameter_list (_) . (parameter_declaration) @name .))
  (#any-of? @_test "TEST" "TEST_F" "TEST_P")) @case
