from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.syntax.languages import LANGUAGES
from lsp_server.syntax.names import Name, name_counts, names_in
from lsp_server.syntax.snapshot import Snapshot

FIRST_CLASS = [row.id for row in LANGUAGES if row.queries]
# Each text says "no" wherever no name is, and names what is one.
SAMPLES = {
    "python": (
        "def f(a, *args):\n  x = f'no{a!r:>{w}}no' # no\n  match x:\n    case Foo(y=1): self.z\n",
        "f a args x a w x Foo y self z",
    ),
    "javascript": (
        "import d from 'no';\nconst { e } = `no${a}no`; // no\nl: for (;;) break l;\nthis.#p = { e, k: /no/ };\n",
        "d e a l l #p e k",
    ),
    "javascriptreact": ("const f = ({ a }) => <B c='no'>no {a.b}</B>;\n", "f a B c a b B"),
    "typescript": (
        "interface A { b?: C<D>; }\nenum E { F }\ntype G = keyof A;\nfunction h(i = j as K) {} /* no */\n",
        "A b C D E F G A h i j K",
    ),
    "typescriptreact": ("const f = (a: T): U => <V.W x={a} />;\n", "f a T U V W x a"),
    "go": (
        'package m\ntype T struct { A int `no` }\nfunc f() { for _, v := range x { T{A: 1}.g(v, "no") } } // no\n',
        "m T A int f _ v x T A g v",
    ),
    "rust": (
        'fn f<\'a>(x: &\'a Foo) -> Vec<u8> { m!("no", x.y); self::g(); h(Self::Z) } // no\n',
        "f a x a Foo Vec m x y g h Self Z",
    ),
    "java": (
        'class A<T> { @B int x = this.y; void f() { for (int i : C.d()) e("no"); } } // no\n',
        "A T B x y f i C d e",
    ),
    "c": (
        '#include <no.h>\n#define MAX(a) a\nstruct S { int x; } s;\nint f() { l: goto l; return s->x + g("no"); }\n',
        "MAX a S x s f l l s x g",
    ),
    "cpp": (
        "namespace n { template <class T> class A : B<T> { int x; }; A::A() : x(1) { std::cout << 'n'; } } // no\n",
        "n T A B T x A A x std cout",
    ),
    "csharp": (
        'namespace N { class A : B { public int X { get; set; } void f() { var y = $"no {X}"; g(y); } } } // no\n',
        "N A B X f y X g y",
    ),
    "ruby": (
        'class A < B\n  X = 1\n  def m(a, k: 1)\n    @x = @@y + $z\n    "no #{a}"\n    m k: 2 # no\n  end\nend\n',
        "A B X m a k @x @@y $z a m k",
    ),
    "php": (
        '<?php\nclass C extends D { private int $x; function m($y) { return $this->x + self::K + "no $y"; } } // no\n',
        "C D x m y this x K y",
    ),
    "shellscript": (
        "f() {\n  local x=$1 y='no'\n  echo \"$x no\" no; git no -m no; export P\n  a[0]=1; : $((i+1)) $(pwd) $?\n}\n",
        "f x y echo x git P a i pwd",
    ),
    "sql": (
        "SELECT u.a, count(*) FROM users u JOIN t ON t.id = u.b WHERE x = 'no' -- no\n",
        "u a count users u t t id u b x",
    ),
    "lua": ("local x = t.a.b:c('no', y) -- no\n", "x t a b c y"),
    "kotlin": ('class A(val b: Int) { fun f() = "no ${b.c}" } // no\n', "A b Int f b c"),
}  # fmt: skip


@pytest.mark.parametrize("language_id", FIRST_CLASS)
@pytest.mark.usefixtures("only_wheels")
def test_names_of_first_class_languages(language_id: str) -> None:
    text, expected = SAMPLES[language_id]
    snapshot = Snapshot.open(text, language_id)
    names = names_in(snapshot, 0, len(text))
    assert [name.text for name in names] == expected.split()
    assert all(text.startswith(name.text, name.start) for name in names)
    assert name_counts(snapshot) == Counter(expected.split())


@pytest.mark.parametrize("language_id", FIRST_CLASS)
@pytest.mark.usefixtures("only_bundle")
def test_the_grammar_of_the_bundle_has_names_too(language_id: str) -> None:
    text, expected = SAMPLES[language_id]
    found = name_counts(Snapshot.open(text, language_id))
    assert len(found.keys() & set(expected.split())) > len(found) / 2
    assert "no" not in found


@pytest.mark.parametrize("language_id", ["python", "klingon"])
@given(cuts=st.tuples(st.integers(-2, 40), st.integers(-2, 40)))
def test_a_range_has_the_names_that_begin_in_it(language_id: str, cuts: tuple[int, int]) -> None:
    text = "é漢 = 'x' + alpha_1(b2, 😀b)\nb2.c\n"
    snapshot = Snapshot.open(text, language_id)
    start, end = cuts
    every = names_in(snapshot, 0, len(text))
    assert names_in(snapshot, start, end) == tuple(name for name in every if start <= name.start < end)


def test_names_of_half_typed_code() -> None:
    text = "class A:\n    def f(self):\n        self.total = comp(\n\n    def g(self): pass\n"
    names = [name.text for name in names_in(Snapshot.open(text, "python"), 0, len(text))]
    assert names == ["A", "f", "self", "self", "total", "comp", "g", "self"]


def test_without_a_grammar_words_are_names() -> None:
    snapshot = Snapshot.open("set über 2x; set", "klingon")
    assert names_in(snapshot, 0, 99) == (Name("set", 0), Name("über", 4), Name("set", 13))
    assert name_counts(snapshot) == {"set": 2, "über": 1}
