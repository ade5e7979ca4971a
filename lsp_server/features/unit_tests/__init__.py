"""Unit tests in the project's own framework: written, run, and only those that hold and say something are offered."""

from lsp_server.features.unit_tests.writing import write_class_tests, write_file_tests, write_unit_tests

__all__ = ["write_class_tests", "write_file_tests", "write_unit_tests"]
