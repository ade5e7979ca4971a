(program
  (assignment left: (constant) @name) @constant)

(class
  body: (body_statement
    (assignment left: (constant) @name) @field))
