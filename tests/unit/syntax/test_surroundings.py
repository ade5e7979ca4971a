from __future__ import annotations

import pytest

from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.surroundings import end_above


def _docs(language_id: str, text: str) -> str | None:
    snapshot = Snapshot.open(text, language_id)
    scope = functions(snapshot)[-1]
    return None if scope.docstring_start is None else text[scope.docstring_start : scope.docstring_end]


@pytest.mark.parametrize(
    ("language_id", "text", "docs"),
    [
        ("javascript", "/** One. */\n/** Two. */\nfunction f() {}\n", "/** Two. */"),
        ("javascript", "// TODO\n/** Doc. */\nfunction f() {}\n", "/** Doc. */"),
        ("javascript", "  /**\n   * Doc.\n   */\n  export default function f() {}\n", "/**\n   * Doc.\n   */"),
        ("go", "package m\n// One.\n//\n// Two.\nfunc f() {}\n", "// One.\n//\n// Two."),
        ("go", "package m\n// Doc.\r\nfunc f() {}\r\n", "// Doc."),
        ("c", "// One.\n/* Two. */\nint f(void) { return 1; }\n", "/* Two. */"),
        ("c", "/* One. */\n// Two.\nint f(void) { return 1; }\n", "// Two."),
        ("rust", "/// Doc.\n#[a]\n// why\n#[b]\nfn f() {}\n", "/// Doc."),
        ("ruby", "class A\n  # Doc.\n  def f\n  end\nend\n", "# Doc."),
        ("python", '# no\ndef f():\n    """Doc."""\n', '"""Doc."""'),
    ],
)
def test_documentation_is_found(language_id: str, text: str, docs: str) -> None:
    assert _docs(language_id, text) == docs


@pytest.mark.parametrize(
    ("language_id", "text"),
    [
        ("javascript", "// eslint-disable-next-line\nfunction f() {}\n"),
        ("javascript", "/** Not its. */\n\nfunction f() {}\n"),
        ("javascript", "/** Of g. */\nfunction g() {}\nfunction f() {}\n"),
        ("go", "package m\n//go:noinline\nfunc f() {}\n"),
        ("go", "package m\nvar x = 1 // of x\nfunc f() {}\n"),
        ("shellscript", "#!/bin/sh\nf() { :; }\n"),
        ("rust", "// plain\nfn f() {}\n"),
        ("python", "# plain\ndef f():\n    pass\n"),
    ],
)
def test_other_comments_are_no_documentation(language_id: str, text: str) -> None:
    assert _docs(language_id, text) is None


def test_text_above_ends_where_no_blank_line_follows() -> None:
    snapshot = Snapshot.open("a\n  b\n\nc", "python")
    assert [end_above(snapshot.lines, offset) for offset in (4, 5, 7)] == [1, 5, -1]
    assert end_above(snapshot.lines, 0) == -1
