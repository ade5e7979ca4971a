(interface_declaration name: (_) @name) @interface

(enum_declaration name: (_) @name) @enum

(class_body
  (field_declaration
    declarator: (variable_declarator name: (_) @name)) @field)
