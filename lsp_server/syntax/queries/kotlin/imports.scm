(import (qualified_identifier) @module)

; bundle
(import_header (identifier) @module)
