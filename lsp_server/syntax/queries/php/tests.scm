(method_declaration name: (name) @name (#match? @name "^test")) @case
