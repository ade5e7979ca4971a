(method_declaration
  (attribute_list (attribute name: (identifier) @_test))
  name: (identifier) @name
  (#any-of? @_test "Fact" "Theory" "Test" "TestMethod")) @case
