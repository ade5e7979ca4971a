(interface_declaration name: (_) @name) @interface

(enum_declaration name: (_) @name) @enum

(program
  (const_declaration (const_element (name) @name)) @constant)

(declaration_list
  (const_declaration (const_element (name) @name)) @field)

(declaration_list
  (property_declaration (property_element name: (_) @name)) @field)
