(import_spec name: (package_identifier)? @alias path: (_) @module)
