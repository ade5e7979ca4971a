(import_statement
  name: (dotted_name) @module)

(import_statement
  name: (aliased_import name: (dotted_name) @module alias: (identifier) @alias))

(import_from_statement
  module_name: (dotted_name) @module
  name: (dotted_name) @name)

(import_from_statement
  module_name: (dotted_name) @module
  name: (aliased_import name: (dotted_name) @name alias: (identifier) @alias))

(import_from_statement
  module_name: (dotted_name) @module
  (wildcard_import) @name)

(import_from_statement
  module_name: (relative_import) @relative
  name: (dotted_name) @name)

(import_from_statement
  module_name: (relative_import) @relative
  name: (aliased_import name: (dotted_name) @name alias: (identifier) @alias))

(import_from_statement
  module_name: (relative_import) @relative
  (wildcard_import) @name)

(future_import_statement
  "__future__" @module
  name: (dotted_name) @name)
