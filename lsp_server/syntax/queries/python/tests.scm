(function_definition name: (identifier) @name (#match? @name "^test")) @case

(decorated_definition definition: (function_definition name: (identifier) @name (#match? @name "^test"))) @case
