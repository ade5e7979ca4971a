(use_declaration
  argument: [(identifier) (scoped_identifier) (use_wildcard)] @module)

(use_declaration
  argument: (use_as_clause path: (_) @module))

(use_declaration
  argument: (scoped_use_list
    path: (_) @module
    list: (use_list [(identifier) (self) (scoped_identifier)] @name)))

(use_declaration
  argument: (scoped_use_list
    path: (_) @module
    list: (use_list (use_as_clause path: (_) @name))))
