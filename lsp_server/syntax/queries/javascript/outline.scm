(class_body
  (field_definition property: (_) @name) @field)

; Properties of an object, wherever a method gives it them.
(assignment_expression
  left: (member_expression object: (this) property: (property_identifier) @name)) @attribute
