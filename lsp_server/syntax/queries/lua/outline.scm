(chunk
  (variable_declaration
    (assignment_statement (variable_list name: (identifier) @name))) @constant)
