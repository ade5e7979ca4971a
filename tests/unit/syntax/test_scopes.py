from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.syntax.scopes import (
    FunctionScope,
    Parameter,
    doc_spans,
    enclosing_class,
    enclosing_function,
    functions,
    scopes,
)
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor


def _open(text: str, language_id: str = "python") -> Snapshot:
    return Snapshot.open(dedent(text), language_id)


def _only(text: str, language_id: str = "python") -> FunctionScope:
    (scope,) = functions(_open(text, language_id))
    return scope


def _at(marked: str, language_id: str = "python") -> str | None:
    text, offset = cursor(dedent(marked))
    scope = enclosing_function(Snapshot.open(text, language_id), offset)
    return scope.name if scope else None


def test_all_of_a_python_function() -> None:
    text = '''\
    @route("/x",
           methods=[1])
    @cached
    async def fetch(self, a, /, b: int, c=1, d: str = "x", *args: int, key, **kw: T) -> dict[str, int]:
        # first
        r"""Fetch.

        More.
        """
        if a:
            raise errors.NotFound(a)
        raise ValueError("x") from None
    '''
    snapshot = _open(text)
    (scope,) = functions(snapshot)
    text = snapshot.text
    assert (scope.name, scope.kind, scope.class_name, scope.is_async) == ("fetch", "function", None, True)
    assert text[scope.start :].startswith('@route("/x"')
    assert scope.end == len(text) - 1
    assert scope.signature.startswith("async def fetch(self, a, /,")
    assert scope.signature.endswith("-> dict[str, int]:")
    assert scope.parameters == (
        Parameter("self"),
        Parameter("a"),
        Parameter("b", "int"),
        Parameter("c", None, "1"),
        Parameter("d", "str", '"x"'),
        Parameter("*args", "int"),
        Parameter("key"),
        Parameter("**kw", "T"),
    )
    assert scope.returns == "dict[str, int]"
    assert text[scope.docstring_start : scope.docstring_end] == 'r"""Fetch.\n\n    More.\n    """'
    assert scope.body_start == scope.docstring_start
    assert text[scope.body_start : scope.body_end].endswith("from None")
    assert (scope.indentation, scope.body_indentation) == ("", "    ")
    assert scope.raises == ("errors.NotFound", "ValueError")
    assert scope.full_start == scope.start


@pytest.mark.parametrize(
    "marked",
    [
        "@de<|>c\ndef f():\n    pass\n",
        "<|>@dec\ndef f():\n    pass\n",
        "def f(a<|>):\n    pass\n",
        "d<|>ef f():\n    pass\n",
        'def f():\n    """Do<|>c."""\n',
        "def f():\n    pass<|>\n",
        "def f():\n    pass  # note<|>\n",
        "def f():\n    x = [y for y in z if lambda: <|>1]\n",
        "def f():\n    pass\n    <|>",
        "def f():\n    pass\n\n    <|>\n\nx = 1\n",
        "def f():\n    <|>\n\nx = 1\n",
        "if x:\n  <|>  def f():\n        pass\n",
        "class A:\n    def f(self):\n        x = (<|>\n\n    def g(self):\n        pass\n",
        "def g():\n    def f():\n        <|>pass\n    return f\n",
        "class A:\n    class B:\n        def f(self): <|>pass\n",
    ],
)
def test_the_cursor_is_in_f(marked: str) -> None:
    assert _at(marked) == "f"


@pytest.mark.parametrize(
    "marked",
    [
        "<|>\ndef f():\n    pass\n",
        "def f():\n    pass\n<|>",
        "def f():\n    pass\n\n\n<|>x = 1\n",
        "def f():\n    pass\nif x:\n    <|>pass\n",
        "class A:\n    def f(self):\n        pass\n    <|>\n",
        "class A:\n    <|>x = 1\n",
        "f = lambda: <|>1\n",
    ],
)
def test_the_cursor_is_in_no_function(marked: str) -> None:
    assert _at(marked) is None


@pytest.mark.parametrize(
    ("language_id", "marked"),
    [
        ("typescript", "/** D<|>oc. */\nexport function f() {}\n"),
        ("typescript", "ex<|>port const f = async () => 1;\n"),
        ("typescript", "class A {\n  @de<|>c()\n  f() {}\n  g() {}\n}\n"),
        ("javascript", "export const f = a => {\n  <|>\n};\n"),
        ("javascript", "const o = {\n  f: function () { <|> },\n};\n"),
        ("go", "package m\n// F<|>.\nfunc f() {}\n"),
        ("rust", "/// D<|>oc\n#[inline]\nfn f() {}\n"),
        ("rust", "/// Doc\n#[inl<|>ine]\nfn f() {}\n"),
        ("java", "class A {\n  @Over<|>ride\n  void f() {}\n}\n"),
        ("cpp", "template <class <|>T>\nT f(T a) { return a; }\n"),
        ("csharp", "class A {\n  /// <summary>D<|></summary>\n  [B]\n  void f() {}\n}\n"),
    ],
)
def test_documentation_and_decorators_above_count(language_id: str, marked: str) -> None:
    assert _at(marked, language_id) == "f"


def test_a_blank_line_below_braces_is_outside() -> None:
    assert _at("function f() {}\n    <|>\n", "javascript") is None


def test_the_body_of_a_line_and_of_nothing() -> None:
    scope = _only("    def f(a): return a\n")
    assert (scope.indentation, scope.body_indentation) == ("", "    ")
    text = "class A:\n\tdef f(self):\n\t\t\n"
    (scope,) = functions(Snapshot.open(text, "python"))
    assert (scope.indentation, scope.body_indentation) == ("\t", "\t\t")
    assert scope.body_start == scope.body_end == text.index(":\n\t\t") + 1


def test_what_is_half_typed_belongs_to_the_body() -> None:
    text = "class A:\n    def f(self):\n        x = (\n\n    def g(self):\n        return 1\n"
    snapshot = Snapshot.open(text, "python")
    first, second = functions(snapshot)
    assert text[first.body_start : first.body_end] == "x = ("
    assert (first.name, second.name, second.class_name) == ("f", "g", "A")


@pytest.mark.parametrize("literal", ['f"x"', 'b"x"', 'rb"x"', 'F"x"', '"x" % y', '("x", y)'])
def test_these_are_no_docstrings(literal: str) -> None:
    assert _only(f"def f():\n    {literal}\n").docstring_start is None


@pytest.mark.parametrize("literal", ['"x"', "'x'", 'u"x"', 'r"""x"""', '"a" "b"'])
def test_these_are_docstrings(literal: str) -> None:
    scope = _only(f"def f():\n    {literal}\n    return 1\n")
    assert scope.docstring_start is not None
    assert scope.docstring_end == scope.docstring_start + len(literal)


def test_raises_are_each_functions_own_and_named() -> None:
    outer, inner = functions(
        _open(
            """\
            def outer():
                def inner():
                    raise KeyError
                try:
                    raise ValueError()
                except Exception as error:
                    raise error
                raise make_error()
                raise ValueError("again")
                raise
            """
        )
    )
    assert (outer.raises, inner.raises) == (("ValueError",), ("KeyError",))


def test_classes_name_their_methods() -> None:
    snapshot = _open(
        """\
        @dataclass
        class A(B):
            '''Doc.'''
            class C:
                def m(self):
                    def helper():
                        pass
        """
    )
    found = {scope.name: (scope.kind, scope.class_name) for scope in scopes(snapshot)}
    assert found == {
        "A": ("class", None),
        "C": ("class", "A"),
        "m": ("method", "A.C"),
        "helper": ("function", None),
    }
    a = enclosing_class(snapshot, snapshot.text.index("Doc."))
    c = enclosing_class(snapshot, snapshot.text.index("pass"))
    assert a is not None
    assert c is not None
    assert (a.name, a.signature, c.name) == ("A", "class A(B):", "C")
    assert snapshot.text[a.docstring_start : a.docstring_end] == "'''Doc.'''"
    assert enclosing_class(snapshot, len(snapshot.text)) is None


@pytest.mark.parametrize(
    ("language_id", "text", "name", "class_name"),
    [
        ("cpp", "int A::f(int a) { return a; }\n", "f", "A"),
        ("cpp", "template <class T> void n::A<T>::f() {}\n", "f", "A"),
        ("cpp", "bool operator<(A a, A b) { return true; }\n", "operator<", None),
        ("rust", "impl<T: X> fmt::Display for Stack<T> {\n    fn f(&self) {}\n}\n", "f", "Stack"),
        ("go", "package m\nfunc (s *Stack[T]) f() {}\n", "f", "Stack"),
        ("lua", "function M.sub:f() end\n", "f", "sub"),
        ("sql", "CREATE FUNCTION app.f(a int) RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql;\n", "f", None),
        ("javascript", "module.exports.f = function () {};\n", "f", None),
    ],
)
def test_qualified_names(language_id: str, text: str, name: str, class_name: str | None) -> None:
    scope = _only(text, language_id)
    assert (scope.name, scope.class_name) == (name, class_name)


@pytest.mark.parametrize("left", ["local f", "M.f", "f"])
def test_lua_gives_names_to_functions_by_assignment(left: str) -> None:
    text = f"function outer()\n  {left} = function(a, b)\n    return a\n  end\nend\n"
    outer, scope = functions(Snapshot.open(text, "lua"))
    assert (outer.name, scope.name, scope.signature) == ("outer", "f", f"{left} = function(a, b)")
    assert text[scope.start : scope.end].startswith(left)
    assert text[scope.body_start : scope.body_end] == "return a"


def test_returns_as_written() -> None:
    assert _only("char **f(void) { return 0; }\n", "cpp").returns == "char **"
    assert _only("const f = (a): string => a;\n", "typescript").returns == "string"
    assert _only("package m\nfunc f() (int, error) { return 1, nil }\n", "go").returns == "(int, error)"
    assert _only("def f(): pass\n").returns is None


def test_doc_spans_are_those_of_files_classes_and_functions() -> None:
    snapshot = _open('# c\n"""File."""\nclass A:\n    "A."\n    def f(self):\n        "F."\n        "not one"\n')
    assert [snapshot.text[start:end] for start, end in doc_spans(snapshot)] == ['"""File."""', '"A."', '"F."']


def test_offsets_count_characters() -> None:
    scope = _only('x = "漢😀"\ndef f(é):\n    """Ü."""\n')
    text = 'x = "漢😀"\ndef f(é):\n    """Ü."""\n'
    assert scope.signature == "def f(é):"
    assert text[scope.docstring_start : scope.docstring_end] == '"""Ü."""'


def test_no_language_no_scopes() -> None:
    snapshot = Snapshot.open("def f(): pass", "klingon")
    assert scopes(snapshot) == ()
    assert enclosing_function(snapshot, 3) is None


PIECES = [
    "def f(a, b=1):\n",
    "    ",
    "return 1\n",
    "class A:\n",
    "@x\n",
    '"""d"""',
    "\n",
    "(",
    "raise E\n",
    "é",
    "async ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_half_typed_code_never_breaks_the_order_of_offsets(text: str) -> None:
    for scope in scopes(Snapshot.open(text, "python")):
        assert 0 <= scope.start <= scope.body_start <= scope.body_end <= scope.end <= len(text)
        assert scope.signature in text[scope.start : scope.body_start]
        if scope.docstring_start is not None and scope.docstring_end is not None:
            assert scope.body_start <= scope.docstring_start < scope.docstring_end <= scope.body_end
