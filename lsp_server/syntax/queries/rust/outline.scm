(struct_item name: (_) @name) @struct

(enum_item name: (_) @name) @enum

(source_file
  (type_item name: (_) @name) @type)

(source_file
  [(const_item name: (_) @name) (static_item name: (_) @name)] @constant)
