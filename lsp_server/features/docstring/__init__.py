"""Documentation of functions, classes and files, in the language's own form and the file's own style."""

from lsp_server.features.docstring.writing import (
    is_documented,
    undocumented,
    write_class_docstring,
    write_docstring,
    write_missing_docstrings,
)

__all__ = ["is_documented", "undocumented", "write_class_docstring", "write_docstring", "write_missing_docstrings"]
