(source_file
  (property_declaration (variable_declaration . (_) @name)) @constant)

(source_file
  (type_alias . (_) @name) @type)

(class_body
  (property_declaration (variable_declaration . (_) @name)) @field)
