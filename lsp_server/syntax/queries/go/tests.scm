(function_declaration name: (identifier) @name (#match? @name "^Test")) @case
