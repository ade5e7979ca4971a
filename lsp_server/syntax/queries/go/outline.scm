(source_file
  (type_declaration
    . (type_spec
      name: (_) @name
      type: (struct_type)) .) @struct)

(source_file
  (type_declaration
    . (type_spec
      name: (_) @name
      type: (interface_type)) .) @interface)

(source_file
  (type_declaration
    . [(type_spec name: (_) @name) (type_alias name: (_) @name)] .) @type)

(source_file
  (const_declaration . (const_spec name: (_) @name) .) @constant)

(source_file
  (const_declaration (const_spec) . (const_spec name: (_) @name) @constant))

(source_file
  (const_declaration . (const_spec name: (_) @name) @constant . (const_spec)))

(source_file
  (var_declaration (var_spec name: (_) @name)) @constant)

(source_file
  (var_declaration
    (var_spec_list (var_spec name: (_) @name) @constant)))
