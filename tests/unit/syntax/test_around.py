from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.syntax.around import Block, Enclosing, block_at, enclosing
from lsp_server.syntax.languages import LANGUAGES
from lsp_server.syntax.scopes import Scope, enclosing_class, enclosing_function
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor
from tests.unit.syntax.samples import SAMPLES

FIRST_CLASS = [row.id for row in LANGUAGES if row.queries]


def _agrees(snapshot: Snapshot, offset: int) -> None:
    found = enclosing(snapshot, offset)
    functions = [scope for scope in found if scope.kind in ("function", "method")]
    classes = [scope for scope in found if scope not in functions]
    for ours, theirs in (
        (functions, enclosing_function(snapshot, offset)),
        (classes, enclosing_class(snapshot, offset)),
    ):
        assert [_of_scope(theirs, snapshot)] * bool(theirs) == ours[:1]


def _of_scope(scope: Scope | None, snapshot: Snapshot) -> Enclosing | None:
    if scope is None:
        return None
    start = snapshot.text.index(scope.signature, scope.start)
    return Enclosing(
        name=scope.name,
        kind=scope.kind,
        start=scope.start,
        end=scope.end,
        signature_start=start,
        signature_end=start + len(scope.signature),
        body_start=scope.body_start,
        body_end=scope.body_end,
        class_name=scope.class_name,
    )


@pytest.mark.parametrize("language_id", FIRST_CLASS)
def test_what_is_around_each_place_is_what_scopes_find(language_id: str) -> None:
    text, _ = cursor(SAMPLES[language_id].text)
    snapshot = Snapshot.open(text, language_id)
    for offset in range(len(text) + 1):
        _agrees(snapshot, offset)


@pytest.mark.parametrize("language_id", FIRST_CLASS)
@given(data=st.data())
def test_so_it_is_in_half_typed_code(language_id: str, data: st.DataObject) -> None:
    text, _ = cursor(SAMPLES[language_id].text)
    cut = data.draw(st.integers(0, len(text)), label="cut")
    text = text[:cut] + text[cut + data.draw(st.integers(0, 12), label="removed") :]
    _agrees(Snapshot.open(text, language_id), data.draw(st.integers(0, len(text)), label="offset"))


@pytest.mark.parametrize(
    ("marked", "names"),
    [
        ("class A:\n    @x\n    def f(self):\n        def g():\n            <|>pass\n", ["g", "f", "A"]),
        ("class A:\n    @<|>x\n    def f(self):\n        pass\n", ["f", "A"]),
        ("class A:\n    def f(self):\n        pass\n\n    <|>\n", ["A"]),
        ("class A:\n    def f(self):\n        pass\n\n        <|>\n\nx = 1\n", ["f", "A"]),
        ("def f():\n    pass\n\n\n<|>x = 1\n", []),
        ("<|>", []),
    ],
)
def test_the_innermost_comes_first(marked: str, names: list[str]) -> None:
    text, offset = cursor(marked)
    assert [scope.name for scope in enclosing(Snapshot.open(text, "python"), offset)] == names


def test_without_a_grammar_nothing_is_around() -> None:
    snapshot = Snapshot.open("def f(): pass", "klingon")
    assert enclosing(snapshot, 9) == ()
    assert block_at(snapshot, 9) is None


def _block(language_id: str, marked: str) -> Block | None:
    text, offset = cursor(marked)
    return block_at(Snapshot.open(text, language_id), offset)


@pytest.mark.parametrize(
    ("language_id", "marked", "indentation", "kind", "empty", "followed"),
    [
        ("python", "def f(a):\n    <|>\n", "    ", "function", True, False),
        ("python", "def f(a):  # x: y\n    <|>\n\nx = 1\n", "    ", "function", True, False),
        ("python", "def f(\n    a,\n):\n    x = g(\n        <|>\n    )\n", "    ", "function", False, False),
        ("python", "class A:\n  def f(a):\n    x = 1\n    <|>\n\n  def g(): pass\n", "    ", "function", False, False),
        ("python", "class A:\n  def f(a):\n    x = 1\n  <|>\n\n  def g(self): pass\n", "  ", "class", False, True),
        ("python", 'def f(a):\n  """D\nx\n  """\n  if a:\n    x = 1\n    <|>\n  return\n', "    ", None, False, False),
        ("python", "def f(a):\n  if a:\n    x = 1\n  <|>\n  # c\n  return\n", "  ", "function", False, True),
        ("python", "def f(a):\n  if a:\n    x = 1\n  <|>\n  # c\n", "  ", "function", False, False),
        ("python", "for i in x:\n\t<|>\n", "\t", None, True, False),
        ("python", "def f():\r\n    a\r\n    <|>\r\n    b\r\n", "    ", "function", False, True),
        ("ruby", "class A\n  def f\n    <|>\n  end\nend\n", "    ", "function", True, False),
        ("ruby", "class A\n  <|>\n  def f\n  end\nend\n", "  ", "class", False, True),
        ("ruby", "def f\n  if x\n    a\n  else\n    <|>\n  end\nend\n", "    ", None, True, False),
        ("lua", "function f(a)\n  if a then\n    <|>\n  end\n  return 1\nend\n", "    ", None, True, False),
        ("shellscript", "f() {\n  if x; then\n    <|>\n  fi\n  y\n}\n", "    ", None, True, False),
        ("shellscript", "f() {\n  <|>\n  y\n}\n", "  ", "function", False, True),
        ("c", "int f(int a)\n{\n  if (a) {\n    <|>\n    b();\n  }\n}\n", "    ", None, False, True),
        ("c", "int f(void) {\n  // c\n  <|>\n}\n", "  ", "function", True, False),
        ("c", "int f() {\n  int a[] = {<|>};\n}\n", "  ", "function", False, False),
        ("cpp", "class A {\n  int x;\n  <|>\n};\n", "  ", "class", False, False),
        ("javascript", "f({\n  a: () => {\n    <|>\n  }\n})\n", "    ", "function", True, False),
        ("javascript", "function f() {\n  if (x) {\n    <|>\n\nfunction g() {}\n", "    ", None, True, False),
        ("typescript", "interface A {\n  b: number;\n  <|>\n}\n", "  ", "interface", False, False),
        ("typescript", "class A {\n  <|>\n  f() {}\n}\n", "  ", "class", False, True),
        ("go", "package m\nfunc f() {\n\tswitch x {\n\t<|>\n\tcase 1:\n\t}\n}\n", "\t", None, False, True),
        ("rust", "fn f() {\n    match x {\n        <|>\n    }\n}\n", "        ", None, True, False),
        ("java", "class A {\n  void f() {\n    <|>\n  }\n  void g() {}\n}\n", "    ", "function", True, False),
        ("kotlin", "class A {\n  fun f() {\n    <|>\n  }\n}\n", "    ", "function", True, False),
        ("php", "<?php\nfunction f() {\n  a();\n  <|>\n}\n", "  ", "function", False, False),
        ("csharp", "class A {\n  int X { get; set; }\n  <|>\n}\n", "  ", "class", False, False),
    ],
)  # fmt: skip
def test_the_block(
    language_id: str, marked: str, indentation: str, kind: str | None, empty: bool, followed: bool
) -> None:
    block = _block(language_id, marked)
    assert block is not None
    assert (block.indentation, block.kind, block.empty, block.followed) == (indentation, kind, empty, followed)
    text, offset = cursor(marked)
    assert block.start <= offset <= block.end <= len(text)


@pytest.mark.parametrize(
    ("language_id", "marked"),
    [
        ("python", "x = 1\n<|>\n"),
        ("python", "def f():\n    pass\n<|>\n"),
        ("javascript", "const o = {\n  <|>\n};\n"),
        ("javascript", "function f() {}<|>\n"),
        ("go", "package m\n\nvar x = T{\n\t<|>\n}\n"),
    ],
)
def test_no_block(language_id: str, marked: str) -> None:
    assert _block(language_id, marked) is None


def test_where_a_block_lies() -> None:
    text = "def f():\n    a\n    \n    b\n\n\nx = 1\n"
    block = block_at(Snapshot.open(text, "python"), 19)
    assert block is not None
    assert text[block.start : block.end] == "\n    a\n    \n    b"
    text = "function f() { a(); }\n"
    block = block_at(Snapshot.open(text, "javascript"), 15)
    assert block is not None
    assert text[block.start : block.end] == " a(); "


@given(
    text=st.lists(st.sampled_from(["def f():\n", "    ", "{", "}", "\n", "x", "(", '"', "é"]), max_size=10).map("".join)
)
@pytest.mark.parametrize("language_id", ["python", "javascript", "ruby", "shellscript"])
def test_a_block_holds_its_cursor(language_id: str, text: str) -> None:
    snapshot = Snapshot.open(text, language_id)
    for offset in range(len(text) + 1):
        block = block_at(snapshot, offset)
        assert block is None or 0 <= block.start <= offset <= block.end <= len(text)
