from __future__ import annotations

import pytest

from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot


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


@pytest.mark.parametrize(
    ("language_id", "text", "start", "signature"),
    [
        ("rust", "/// d\n#[a]\n#[b]\npub fn f() {}\n", "#[a]", "pub fn f()"),
        ("typescript", "@A()\nexport class X {\n  @B()\n  @C() f() {}\n}\n", "@B()", "f()"),
        ("java", "class X {\n  @A @B(1)\n  public void f() {}\n}\n", "@A", "public void f()"),
        ("java", "class X {\n  @A\n  void f() {}\n}\n", "@A", "void f()"),
        ("kotlin", "@A\nfun f() {}\n", "@A", "fun f()"),
        ("csharp", "class X {\n  [A]\n  [B]\n  void f() {}\n}\n", "[A]", "void f()"),
        ("php", "<?php\n#[A]\nfunction f() {}\n", "#[A]", "function f()"),
        ("cpp", "template <class T>\nT f(T a) { return a; }\n", "template", "template <class T>\nT f(T a)"),
        ("python", "if x:\n    @a\n    # why\n    @b(1)\n    async def f(): pass\n", "@a", "async def f():"),
    ],
)
def test_decorators_belong_to_the_definition_but_not_to_its_signature(
    language_id: str, text: str, start: str, signature: str
) -> None:
    (scope,) = functions(Snapshot.open(text, language_id))
    assert text[scope.start :].startswith(start)
    assert scope.signature == signature
