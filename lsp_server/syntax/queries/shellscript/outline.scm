(program
  (variable_assignment name: (_) @name) @constant)
