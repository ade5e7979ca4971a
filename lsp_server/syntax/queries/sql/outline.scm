(create_table (object_reference name: (_) @name)) @type

(create_view (object_reference name: (_) @name)) @type

; bundle
(create_table_statement . (_) @name) @type

; bundle
(create_view_statement . (_) @name) @type
