from __future__ import annotations

import pytest
import tree_sitter
import tree_sitter_java

from lsp_server.syntax.generic import scope_patterns
from lsp_server.syntax.languages import Language
from lsp_server.syntax.queries import fits
from lsp_server.syntax.scopes import enclosing_function, scopes
from lsp_server.syntax.snapshot import Snapshot

JAVA = tree_sitter.Language(tree_sitter_java.language())


def test_what_kinds_are_called_says_what_they_are() -> None:
    patterns = [pattern for pattern in scope_patterns(JAVA) if fits(JAVA, pattern)]
    captures = {pattern.split()[0].strip("("): pattern.rsplit("@", 1)[1] for pattern in patterns}
    assert captures == {
        "class_declaration": "class",
        "enum_declaration": "enum",
        "interface_declaration": "interface",
        "method_declaration": "function",
        "module_declaration": "module",
    }


def test_only_fields_of_the_grammar_are_asked_for() -> None:
    (method,) = (pattern for pattern in scope_patterns(JAVA) if "method_declaration" in pattern)
    assert "parameters: (_)?" in method
    assert "return_type" not in method


def test_a_grammar_without_queries_has_scopes(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Language("plain", "Plain", (), "//", "", wheel="tree_sitter_java:language")
    monkeypatch.setattr("lsp_server.syntax.languages.language", lambda language_id: row)
    text = "class A {\n  int f(int a) {\n    return a;\n  }\n}\n"
    snapshot = Snapshot.open(text, "plain")
    assert [(scope.kind, scope.name, scope.class_name) for scope in scopes(snapshot)] == [
        ("class", "A", None),
        ("method", "f", "A"),
    ]
    scope = enclosing_function(snapshot, text.index("return"))
    assert scope is not None
    assert (scope.signature, text[scope.body_start : scope.body_end]) == ("int f(int a)", "{\n    return a;\n  }")
