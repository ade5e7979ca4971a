(use_declaration argument: (_) @tree)
