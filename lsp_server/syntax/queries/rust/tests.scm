; The other attributes stand between, in any number: `test_cases` walks up to the first of them.
((function_item name: (identifier) @name) @case)
