(namespace_use_clause . [(qualified_name) (name)] @module)

[(require_expression (string) @module) (require_once_expression (string) @module)]

[(include_expression (string) @module) (include_once_expression (string) @module)]
