from __future__ import annotations

from textwrap import dedent

import pytest

from lsp_server.syntax.languages import language
from lsp_server.syntax.outline import outline, render
from lsp_server.syntax.snapshot import Snapshot


def _rendered(text: str, language_id: str) -> str:
    snapshot = Snapshot.open(dedent(text), language_id)
    assert snapshot.language is not None
    return render(outline(snapshot), snapshot.language)


PYTHON = '''\
"""Module."""
import os

LIMIT: int = 3
TABLE = {
    "a": 1,
}

@dataclass(frozen=True)
class Point(Base):
    """A point.

    More.
    """

    x: int = 0
    y: str

    @property
    def norm(self) -> float:
        """Its length."""
        local = 1
        class Hidden: ...
        return 1.0

    async def move(
        self,
        by: int,
    ) -> None:
        def helper(): ...

class Empty(Exception):
    pass

def plain(a, *b): return a
'''


def test_python() -> None:
    assert _rendered(PYTHON, "python") == dedent(
        '''\
        LIMIT: int = 3
        TABLE = ...
        @dataclass(frozen=True)
        class Point(Base):
            """A point."""
            x: int = 0
            y: str
            @property
            def norm(self) -> float: """Its length."""
            async def move(self, by: int) -> None: ...
        class Empty(Exception): ...
        def plain(a, *b): ...
        '''
    )


def test_the_python_stub_is_python() -> None:
    compile(_rendered(PYTHON, "python"), "stub", "exec")


def test_symbols_know_their_place() -> None:
    found = {symbol.name: symbol for symbol in outline(Snapshot.open(PYTHON, "python"))}
    assert (found["norm"].kind, found["norm"].container, found["norm"].doc) == ("method", "Point", "Its length.")
    assert (found["x"].kind, found["x"].container) == ("field", "Point")
    assert (found["LIMIT"].kind, found["LIMIT"].container) == ("constant", None)
    assert PYTHON[found["Point"].start : found["Point"].end].startswith("@dataclass")
    assert {"helper", "Hidden", "local"}.isdisjoint(found)


def test_typescript() -> None:
    text = """\
    import { x } from "./x";

    /** What it is. */
    export interface Shape extends Base {
      area(): number;
    }
    type Id = string | number;
    enum Color { Red, Green }
    export const LIMIT = 3;
    export const table = {
      a: () => 1,
    };

    /**
     * Adds.
     * @param a one
     */
    export function add(a: number): number {
      const local = 1;
      return a;
    }
    const twice = (a: number): number => a * 2;
    export default class Box<T> {
      private item: T;
      get(key: string): T { return this.item; }
    }
    """
    assert _rendered(text, "typescript") == dedent(
        """\
        /** What it is. */
        export interface Shape extends Base {
          area(): number;
        }
        type Id = string | number;
        enum Color { Red, Green }
        export const LIMIT = 3;
        export const table = ...;
        /** Adds. */
        export function add(a: number): number;
        const twice = (a: number): number => ...;
        export default class Box<T> {
            private item: T;
            get(key: string): T;
        }
        """
    )


def test_go() -> None:
    text = (
        "package m\n\n// Point is a point.\ntype Point struct {\n\tX int\n}\n\n"
        "const (\n\tA = 1\n\tB = 2\n)\n\nvar limit = 3\n\n"
        "// Norm measures.\nfunc (p Point) Norm() float64 { x := 1; return x }\n"
    )
    assert _rendered(text, "go") == (
        "// Point is a point.\ntype Point struct {\n\tX int\n}\nA = 1\nB = 2\nvar limit = 3\n"
        "// Norm measures.\nfunc (p Point) Norm() float64\n"
    )


def test_a_header_offers_its_declarations() -> None:
    text = "#ifndef H\n#define H\n#define MAX 3\nclass A {\n  int x_;\n  int get() const;\n};\nint f(int a);\n#endif\n"
    assert _rendered(text, "cpp") == ("#define MAX 3\nclass A {\n    int x_;\n    int get() const;\n}\nint f(int a);\n")


def test_what_is_shown_whole_is_dedented() -> None:
    text = "class A {\n  interface B {\n    void m();\n  }\n}\n"
    assert _rendered(text, "java") == "class A {\n    interface B {\n      void m();\n    }\n}\n"


@pytest.mark.parametrize(
    ("language_id", "comment", "line"),
    [
        ("java", "/**\n * <p>Does. \n * @return x\n */", "<p>Does."),
        ("csharp", "/// <summary>\n/// Does.\n/// </summary>", "Does."),
        ("c", "/*! Does. */", "Does."),
        ("lua", "--- Does.", "Does."),
        ("ruby", "# Does.\n# More.", "Does."),
    ],
)
def test_the_first_line_of_documentation(language_id: str, comment: str, line: str) -> None:
    functions = {
        "java": "class A {\n%s\nvoid f() {} }",
        "csharp": "class A {\n%s\nvoid f() {} }",
        "c": "%s\nvoid f(void) {}",
        "lua": "%s\nfunction f() end",
        "ruby": "%s\ndef f; end",
    }
    symbols = outline(Snapshot.open(functions[language_id] % comment, language_id))
    assert symbols[-1].doc == line


def test_nothing_renders_to_nothing() -> None:
    python = language("python")
    assert python is not None
    assert render(outline(Snapshot.open("", "python")), python) == ""


ATTRIBUTES = """\
class Shop:
    limit: int = 3

    def __init__(self, rooms):
        self.rooms = rooms
        self.limit = 4
        self.prices: dict[str, float] = {
            "a": 1.0,
        }
        (self.x, self.y) = self.at = 1, 2
        if rooms:
            self.first, [self.second] = rooms
        with open(rooms) as self.file:
            for self.line in self.file: ...

    def close(self):
        self.rooms = None
        self.closed = True
        other.name = 1

        def later():
            self.late = 1


def free(self):
    self.nothing = 1
"""


def test_attributes_are_in_the_method_that_has_them_first() -> None:
    found = outline(Snapshot.open(ATTRIBUTES, "python"))
    attributes = [symbol.name for symbol in found if symbol.kind == "attribute"]
    first = ["rooms", "prices", "x", "y", "at", "first", "second", "file", "line"]
    assert attributes == [*first, "closed", "late"]
    assert {symbol.container for symbol in found if symbol.kind == "attribute"} == {"Shop"}
    assert (
        "    def __init__(self, rooms):\n        self.rooms = rooms\n        self.prices: dict[str, float] = ...\n"
        in (_rendered(ATTRIBUTES, "python"))
    )


def test_properties_that_a_constructor_makes() -> None:
    text = "class Shop {\n  limit = 3;\n  constructor(rooms) {\n    this.rooms = rooms;\n    this.limit = 4;\n  }\n}\n"
    assert "constructor(rooms) {\n        this.rooms = rooms;\n    }\n" in _rendered(text, "javascript")
    assert "limit = 4" not in _rendered(text, "javascript")
