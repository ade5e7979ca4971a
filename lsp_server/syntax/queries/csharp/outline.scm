(interface_declaration name: (_) @name) @interface

(enum_declaration name: (_) @name) @enum

(declaration_list
  (field_declaration
    (variable_declaration
      (variable_declarator name: (_) @name))) @field)

(declaration_list
  (property_declaration name: (_) @name) @field)
