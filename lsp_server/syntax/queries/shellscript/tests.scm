; What bats calls tests: `test_cases` has made functions of them.
(function_definition name: (word) @name (#match? @name "^_test_")) @case
