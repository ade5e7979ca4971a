from __future__ import annotations

import pytest

from lsp_server.syntax.definitions import Definition, definitions, definitions_at
from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot


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


@pytest.mark.parametrize(
    ("language_id", "text"),
    [
        ("python", '# c\n@a\n# b\n@c\nclass A:\n    """D"""\n\n    @x\n    def f(self): pass\n'),
        ("rust", "/// Doc.\n/// More.\n#[a]\n// why\n#[b]\npub fn f() {\n    g();\n}\n"),
        ("typescript", "/** Doc. */\n@A()\nexport class X {\n  /** M. */\n  @B()\n  @C() f() {}\n}\n"),
        ("java", "/** Doc. */\n@A\nclass X {\n  /** M. */\n  @B @C(1)\n  public void f() { g(); }\n}\n"),
    ],
)
def test_a_place_has_the_definitions_of_the_file(language_id: str, text: str) -> None:
    def told(items: tuple[Definition, ...]) -> list[tuple[object, ...]]:
        return [(item.kind, item.span, item.head, item.docs) for item in items]

    snapshot = Snapshot.open(text, language_id)
    every = definitions(snapshot).items
    assert every
    for item in every:
        body = item.node("body")
        assert body is not None
        inside = snapshot.span(body)[0]
        around = tuple(other for other in every if other.span[0] <= inside < other.span[1])
        assert told(definitions_at(snapshot, (inside, inside + 1))) == told(around)
