(expression_statement
  (call_expression
    function: (identifier) @_test
    arguments: (arguments . [(string) (template_string)] @name))
  (#any-of? @_test "test" "it")) @case

; test.each([…])('…', …), test.skip('…', …)
(expression_statement
  (call_expression
    function: [
      (member_expression object: (identifier) @_test)
      (call_expression function: (member_expression object: (identifier) @_test))
    ]
    arguments: (arguments . [(string) (template_string)] @name))
  (#any-of? @_test "test" "it")) @case
