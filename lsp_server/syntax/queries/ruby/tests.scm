(call
  method: (identifier) @_test
  arguments: (argument_list . (string) @name)
  (#any-of? @_test "it" "specify" "example")) @case
