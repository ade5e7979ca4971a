from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.syntax.imports import imports
from lsp_server.syntax.incremental import changes, with_neighbours
from lsp_server.syntax.languages import LANGUAGES
from lsp_server.syntax.outline import outline
from lsp_server.syntax.snapshot import Earlier, Snapshot
from lsp_server.text.edits import TextEdit
from tests.support.cursor import cursor
from tests.unit.syntax.samples import SAMPLES

# Kotlin's grammar (1.1.0) can take minutes over a few lines of broken code, however they came to be.
FIRST_CLASS = [row.id for row in LANGUAGES if row.queries and row.id != "kotlin"]

# What goes before and after a language's sample: with what depends on its neighbours and on what is around it.
MORE = {
    "python": '''\
class A(B):
    """Doc."""

    x = 1
    @p
    # why
    def f(self):
        self.a, self.x = 1, 2

    def g(self):
        def inner(): ...
        self.a = 3
if X:
    import y as z

    def h(): ...
''',
    "javascript": """\
/** A. */
class A {
  /** F. */
  f() {
    this.a = () => 1;
  }

  g() { this.a = 2; }
}
it('x', () => {
  function h() {}
});
m.exports = {
  k: function () {},
};
const a = 1, b = 2;
""",
    "typescript": """\
/** I. */
@D()
export class A {
  x: number;
  /** F. */
  @E() f() {}
}
export interface I {
  a(): 1;
}
namespace n {
  function h() {}
}
""",
    "go": """\
// P.
const (
	A = 1
	B
)

const C = 1

// S is.
type S struct {
	x int
}

// F does.
func (s S) F() {
}
""",
    "rust": """\
/// S.
#[a]
// why
#[b]
struct S { x: i32 }

impl<T> Tr for S<T> {
    /// F.
    fn f() {}

    fn g() {}
}
mod m {
    use a::{b, c};
}
""",
    "java": """\
/** A. */
@X
class A {
  /** I. */
  int i = 1;

  /** F. */
  @Y void f() throws E { g(); }
  enum K { P, Q }
}
interface I {
  void h();
}
""",
    "c": """\
#ifndef H
#define H
#include <a.h>
/* D. */
int f(int a);

struct s { int x; };
// G.
int g(void) { return 1; }
#endif
""",
    "cpp": """\
namespace n {
// A.
class A {
  int x;
  // F.
  int f() { return 1; }
};

template <class T> T A::g(T t) {}
}
""",
    "csharp": """\
namespace N {
  /// <summary>A.</summary>
  class A {
    [X]
    void F() { G(); }
    int P { get; }
  }
}
""",
    "ruby": """\
# A.
class A
  # F.
  def f
  end
  K = 1

  def g
  end
end
module M
  def h; end
end
""",
    "php": """\
<?php
/** A. */
#[X]
class A {
  const C = 1;
  /** F. */
  function f() {}
}
function g() {}
""",
    "lua": """\
--- F.
local function f()
  local x = 1
end

A = 1
-- G.
function M.g() end
""",
}

# What people type and paste: openings of strings, comments and brackets, ends of lines, whole definitions, what stands
# above these.
TYPED = [
    "x", " ", "    ", "\n", "\n\n", "\r\n", "é", "👩‍👧", "(", ")",
    "{", "}", '"', "'", "`", '"""', "//", "/*", "*/", "#",
    "=", ";", ":", "@a\n", "#[a]\n", "/** D. */\n", "// d\n", "# d\n", "def f(): ...\n", "function f() {}\n",
    "class A:\n", "import a\n", "end\n", "const a = 1\n",
]  # fmt: skip


def _text(language_id: str) -> str:
    sample, _ = cursor(SAMPLES[language_id].text)
    more = MORE.get(language_id, sample)
    return f"{more}\n{sample}\n{more}"


def _shape(snapshot: Snapshot) -> list[tuple[str, bool, int, int]]:
    assert snapshot.tree is not None
    pending, shape = [snapshot.tree.root_node], []
    while pending:
        node = pending.pop()
        shape.append((node.type, node.is_missing, node.start_byte, node.end_byte))
        pending += node.children
    return shape


def _as_afresh(snapshot: Snapshot) -> None:
    """Where both have the same tree: how broken code is mended may depend on the way to it (see test_snapshot.py)."""
    fresh = Snapshot.open(snapshot.text, snapshot.language_id)
    if _shape(fresh) == _shape(snapshot):
        assert outline(snapshot) == outline(fresh)
        assert imports(snapshot) == imports(fresh)


@pytest.mark.parametrize("language_id", FIRST_CLASS)
@given(data=st.data())
def test_after_any_edits_all_is_as_afresh(language_id: str, data: st.DataObject) -> None:
    text = _text(language_id)
    if data.draw(st.booleans(), label="CRLF"):
        text = text.replace("\n", "\r\n")
    snapshot = Snapshot.open(text, language_id)
    outline(snapshot), imports(snapshot)
    for version in range(1, data.draw(st.integers(2, 8), label="edits")):
        before = snapshot.text
        place = st.one_of(st.integers(0, len(before)), st.sampled_from([0, len(before)]))
        what = data.draw(st.sampled_from(["type", "delete", "lines", "join", "two", "undo"]), label="what")
        start = data.draw(place, label="start")
        line = snapshot.lines.line_of(start)
        edits = [TextEdit(start, start, data.draw(st.sampled_from(TYPED), label="typed"))]
        if what == "delete":
            end = min(start + data.draw(st.integers(1, 30), label="removed"), len(before))
            edits = [TextEdit(start, end, data.draw(st.sampled_from(["", "x"]), label="instead"))]
        elif what == "lines":
            end = snapshot.lines.line_start(line + data.draw(st.integers(1, 5), label="removed"))
            edits = [TextEdit(snapshot.lines.line_start(line), end, "")]
        elif what == "join":
            edits = [TextEdit(snapshot.lines.line_end(line), snapshot.lines.line_start(line + 1), "")]
        elif what == "two":
            second = data.draw(st.integers(start, len(before)), label="second")
            edits.append(TextEdit(second, second, data.draw(st.sampled_from(TYPED), label="typed there")))
        elif what == "undo":
            edits = [TextEdit(0, len(before), text)]
        snapshot = snapshot.edited(edits, version)
        if data.draw(st.booleans(), label="look"):
            _as_afresh(snapshot)
    _as_afresh(snapshot)


def _changed(before: str, after: str, language_id: str) -> list[str]:
    """What is looked at anew in each list, the innermost first, if a piece of ``before`` was replaced."""
    earlier = Snapshot.open(before, language_id)
    assert earlier.tree is not None
    start = next(index for index, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    end = len(before)
    while end > start and len(after) - (len(before) - end) > start and before[end - 1] == after[end - 1 - len(before)]:
        end -= 1
    snapshot = earlier.edited([TextEdit(start, end, after[start : len(after) - (len(before) - end)])], 1)
    known = Earlier(None, earlier.tree, earlier.lines)
    found = [with_neighbours(snapshot, known, change) for change in changes(snapshot, known)]
    return [snapshot.text[change.start : change.end].strip() for change in found]


def test_only_the_function_that_is_edited_is_looked_at() -> None:
    text = (
        "def a():\n    return 1\n\n\n"
        "class B:\n    def c(self):\n        return 2\n\n    def d(self): ...\n\n\n"
        "def e(): ...\n"
    )
    assert _changed(text, text.replace("2", "3"), "python") == [
        "return 3",
        "def c(self):\n        return 3",
        text[text.index("class") : text.index("def e")].strip().replace("2", "3"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "anew"),
    [
        ("f();\n// A.\nfunction a() {}\n\ng();\n", "f();\n// B.\nfunction a() {}\n\ng();\n", "// B.\nfunction a() {}"),
        ("// A.\nfunction a() {}\n\ng();\n", "// A.\nfunction b() {}\n\ng();\n", "// A.\nfunction b() {}"),
        ("// A.\n\nfunction a() {}\n\ng();\n", "// A.\nfunction a() {}\n\ng();\n", "// A.\nfunction a() {}"),
    ],
)
def test_what_stands_above_belongs_to_what_is_below(before: str, after: str, anew: str) -> None:
    assert _changed(before, after, "javascript")[-1] == anew


def test_what_was_taken_over_may_have_moved() -> None:
    # The end of a line is a token here, and grows by the blank before it, and what is behind it stays the same node.
    text = 'a="1"; b\nc="1"; d\ne="$1"; f\n\ng="1"; h\n'
    for offset in range(len(text) + 1):
        snapshot = Snapshot.open(text, "shellscript")
        assert outline(snapshot)
        edited = snapshot.edited([TextEdit(offset, offset, "\t")], 1)
        assert outline(edited) == outline(Snapshot.open(edited.text, "shellscript"))


@pytest.mark.parametrize("blanks", ["", "\t", "  ", "    "])
def test_blanks_that_are_in_no_node_count(blanks: str) -> None:
    text = "class C {\n  void F() {}\n\n  interface A {\n    void G();\n\n    void H();\n  }\n}\n"
    for offset in (offset for offset in range(len(text)) if text[offset] == " "):
        snapshot = Snapshot.open(text, "csharp")
        assert outline(snapshot)
        edited = snapshot.edited([TextEdit(offset, offset + 1, blanks)], 1)
        assert outline(edited) == outline(Snapshot.open(edited.text, "csharp"))


def test_broken_code_is_compared_however_deep_it_is_nested() -> None:
    text = "f();\nx = " + "a + " * 3000 + "@ b;\nfunction g() {}\n"
    # Two trees that share no node.
    earlier, snapshot = Snapshot.open(text, "javascript"), Snapshot.open(text, "javascript")
    assert earlier.tree is not None
    (change,) = changes(snapshot, Earlier(None, earlier.tree, earlier.lines))
    assert text[change.start : change.end] == "\n"


def test_one_earlier_state_is_kept() -> None:
    snapshot = Snapshot.open("a = 1\n", "python")
    for version in range(5):
        snapshot = snapshot.edited([TextEdit(0, 0, "b = 2\n")], version)
        assert len(outline(snapshot)) == version + 2
