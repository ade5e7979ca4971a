from __future__ import annotations

import pytest

from lsp_server.syntax import regions
from lsp_server.syntax.languages import LANGUAGES
from lsp_server.syntax.regions import Region, region_at
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor
from tests.unit.syntax.samples import DATA, GENERIC, SAMPLES

LETTERS = {Region.CODE: ".", Region.STRING: "s", Region.COMMENT: "c", Region.DOCUMENTATION: "d"}

# Above a text, below what each place in it is, the one before the first character and the one behind the last included.
PLACES = {
    "python": (
        "x = f\"a{b}c\" + r'd' # e",
        ".....sss..ss....sss..ccc",
    ),
    "javascript": (
        'x = `a${b}c` + /a"b/ + "d"; /* e */ f // g',
        ".....ss...ss....ssss....ss...cccccc....cccc",
    ),
    "javascriptreact": (
        'x = <a b="c">{"d"}</a>; /** e */',
        "..........ss...ss........ddddddd.",
    ),
    "typescript": (
        'let x: R<string, "a"> = { "b": `c${d}` } // e',
        "..................ss.......ss...ss...s....cccc",
    ),
    "typescriptreact": (
        'x = <a b="c">{`d${e}f`}</a> // g',
        "..........ss...ss...ss.......cccc",
    ),
    "go": (
        "package m; var x = `a` + 'b' + \"c\" /* d */ // e",
        "....................ss....ss....ss..cccccc..cccc",
    ),
    "rust": (
        "fn f<'a>() { g(\"b\", 'c', r#\"d\"#); } /// e",
        "................ss...ss...sssss......ddddd",
    ),
    "java": (
        "class A { S a = \"b\" + 'c'; } /* d */ // e",
        ".................ss....ss.....cccccc..cccc",
    ),
    "c": (
        "char *a = \"b\" \"c\"; int d = '\"'; /* e */ // f",
        "...........ss..ss...........ss...cccccc..cccc",
    ),
    "cpp": (
        "auto a = R\"(b)\" + \"c\"s + 'd'; /** e */ // f",
        "..........sssss....ss.....ss...ddddddd..cccc",
    ),
    "csharp": (
        "var a = $\"b{c}d\" + @\"e\" + 'f'; /// g",
        ".........sss..ss....sss....ss...ddddd",
    ),
    "ruby": (
        "x = \"a#{b}c\" + 'd' + /e/ # f",
        ".....ss...ss....ss....ss..ccc",
    ),
    "php": (
        "<?php $a = \"b{$c}d $e\" . 'f'; /** g */ # h",
        "............sss.ssss.s....ss...ddddddd..ccc",
    ),
    "shellscript": (
        "a=\"b${c}d $e\" f='g' $(h \"i\") # j",
        "...ss...sss.s....ss......ss...ccc",
    ),
    "sql": (
        "SELECT 'a', b /* c */ -- d",
        "........ss.....cccccc..cccc",
    ),
    "lua": (
        'local x = [[a]] .. "b" --[[ c ]] y = 1 --- d',
        "...........ssss.....ss..cccccccc........ddddd",
    ),
    "kotlin": (
        "val x = \"a${b}c\" + 'd' /** e */ // f",
        ".........ss...ss....ss..ddddddd..cccc",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language_id", [row.id for row in LANGUAGES if row.queries])
@pytest.mark.usefixtures("only_wheels")
def test_every_place_of_a_line(language_id: str) -> None:
    text, expected = PLACES[language_id]
    snapshot = Snapshot.open(text, language_id)
    assert "".join(LETTERS[region_at(snapshot, offset)] for offset in range(len(text) + 1)) == expected


@pytest.mark.parametrize(
    ("language_id", "marked", "region"),
    [
        ("python", 'def f():\n    """Doc<|>.\n\n    More."""\n', Region.DOCUMENTATION),
        ("python", 'class A:\n    # why\n    """Doc <|> """\n    x = 1\n', Region.DOCUMENTATION),
        ("python", '# why\n"""Mo<|>dule."""\nimport a\n', Region.DOCUMENTATION),
        ("python", 'def f():\n    """a<|>b""" + c\n', Region.STRING),
        ("python", 'def f():\n    x = 1\n    "no <|>docstring"\n', Region.STRING),
        ("python", 'if x:\n    "no <|>docstring"\n', Region.STRING),
        ("python", "x = 1 # why<|>\r\ny\r\n", Region.COMMENT),
        ("python", "x = 1 # why\n<|>y\n", Region.CODE),
        ("python", 'x = ("a" <|> "b")\n', Region.CODE),
        ("python", 'x = "漢<|>😀"\n', Region.STRING),
        ("python", 'x = "漢😀"<|>\n', Region.CODE),
        ("rust", "/// Doc<|>\nfn f() {}\n", Region.DOCUMENTATION),
        ("rust", "/// Doc\n<|>fn f() {}\n", Region.CODE),
        ("shellscript", "cat <<E | f<|>\na\nE\n", Region.CODE),
        ("shellscript", "cat <<E\na $b c<|>\nE\n", Region.STRING),
        ("shellscript", "cat <<E\na $(b <|>c)\nE\n", Region.CODE),
        ("klingon", '"a<|>', Region.CODE),
    ],
)
def test_a_place(language_id: str, marked: str, region: Region) -> None:
    text, offset = cursor(marked)
    assert region_at(Snapshot.open(text, language_id), offset) == region


@pytest.mark.parametrize(
    ("language_id", "marked", "region"),
    [
        ("python", 'def f():\n    x = g("a", "b c<|>\n    y = 1\n', Region.STRING),
        ("python", 'def f():\n    x = g("a"<|>, "b c\n    y = 1\n', Region.CODE),
        ("python", "def f():\n    x = \"it's<|>\n\ndef g(): pass\n", Region.STRING),
        ("python", 'def f():\n    """<|>\n\ndef g(): pass\n', Region.DOCUMENTATION),
        ("python", 'x = "a" + (<|>\ny = 1\n', Region.CODE),
        ("python", 'x = """a\nb""" + (<|>\n', Region.CODE),
        ("javascript", 'f("a", "b, c);<|>\ng();\n', Region.STRING),
        ("typescript", "const x = `ab<|>\ng();\n", Region.STRING),
        ("rust", "fn f(a: &'static str) { g(<|>\nfn h() {}\n", Region.CODE),
        ("rust", 'fn f() { g("a, b<|> }\nfn h() {}\n', Region.STRING),
        ("go", 'package m\nfunc f() { g("a", "b<|> }\n', Region.STRING),
        ("c", 'int f() { g("a", "b<|>\n}\nint h() { return 1; }\n', Region.STRING),
        ("ruby", 'x = f "ab<|>\n', Region.STRING),
        ("lua", "x = f('ab<|>\nlocal y\n", Region.STRING),
        ("shellscript", "echo \\\"a 'b<|>\n", Region.STRING),
        ("shellscript", 'echo \\"a<|> (\n', Region.CODE),
        ("sql", "SELECT a FROM b WHERE c = 'd<|>\n", Region.STRING),
        ("sql", "COMMENT<|> ON TABLE t IS 'u';\n", Region.CODE),
    ],
)
def test_a_place_in_half_typed_code(language_id: str, marked: str, region: Region) -> None:
    text, offset = cursor(marked)
    assert region_at(Snapshot.open(text, language_id), offset) == region


@pytest.mark.parametrize("behind", ["", "\n", "\nx = 1\n", "\n\nfoo(1);\n"])
@pytest.mark.parametrize(
    "language_id",
    [
        *("javascript", "typescript", "typescriptreact", "c", "cpp", "java", "go"),
        *("css", "kotlin", "php", "csharp", "rust", "sql"),
    ],
)
def test_a_comment_that_is_being_written(language_id: str, behind: str) -> None:
    if language_id == "css":
        pytest.importorskip("tree_sitter_languages", reason="its grammar is in the bundle alone")
    head = "<?php\n" if language_id == "php" else ""
    for comment in ("/* the ", "/* the\n * second ", "/* one */ /* the "):
        text, offset = cursor(f"{head}{comment}<|>{behind}")
        assert region_at(Snapshot.open(text, language_id), offset) is Region.COMMENT, (comment, behind)


@pytest.mark.parametrize("behind", ["", "\n", "\nx = 1\n"])
def test_a_long_comment_of_lua_that_is_being_written(behind: str) -> None:
    text, offset = cursor(f"--[[ the\nsecond <|>{behind}")
    assert region_at(Snapshot.open(text, "lua"), offset) is Region.COMMENT


@pytest.mark.parametrize("behind", ["", "\n", "\n\n\ndef g(b):\n    return b\n"])
def test_documentation_that_is_being_written(behind: str) -> None:
    text, offset = cursor(f'def f(a):\n    """Foo.\n\n    The <|>{behind}')
    assert region_at(Snapshot.open(text, "python"), offset) is Region.DOCUMENTATION


@pytest.mark.parametrize(
    ("language_id", "marked"),
    [
        ("javascript", 's = "/* no "; x = <|>;\n'),
        ("javascript", "// a /* b\nx = <|>;\n"),
        ("python", 's = \'""" no\'\nx = <|>\n'),
        ("javascript", "/* a */ x = <|>\n"),
        ("go", "x := `a` + <|>\n"),
        ("javascript", "x = `a ${<|>}`\n"),
    ],
)
def test_marks_that_open_nothing(language_id: str, marked: str) -> None:
    text, offset = cursor(marked)
    assert region_at(Snapshot.open(text, language_id), offset) is Region.CODE


@pytest.mark.parametrize(
    ("language_id", "marked", "region"),
    [
        ("python", '"""Mod <|>\nimport os\n', Region.DOCUMENTATION),
        ("python", 'class A:\n    # why\n    r"""It\'s <|>\n    x = "a"\n', Region.DOCUMENTATION),
        ("python", 'def f(\n    a: int,\n) -> B:  # why\n    """Foo.\n\n    <|>\n    return a\n', Region.DOCUMENTATION),
        # The next docstring's opening is taken for the end of this one.
        ("python", 'def f():\n    """Foo.\n    <|>\n    pass\n\ndef g():\n    """Bar."""\n', Region.DOCUMENTATION),
        ("python", 'def f():\n    x = """Foo.\n    <|>\n    return x\n', Region.STRING),
        ("python", 'if x:\n    """Foo.\n    <|>\n', Region.STRING),
        ("python", 'def f():\n    return {\n        "a":\n            """b\n <|>\n', Region.STRING),
        ("javascript", "/** The <|>\nfunction f() {}\n", Region.DOCUMENTATION),
        ("kotlin", "/** The\n * second <|>\nfun f() {}\n", Region.DOCUMENTATION),
        ("go", "func f() {\n\ta := b /* the <|>\n}\n", Region.COMMENT),
        ("kotlin", "val a = 1\n/* the <|>\n", Region.COMMENT),
        ("javascript", "/* CSS after/before `a` <|>\nf();\n", Region.COMMENT),
        ("c", 'int a;\n/* it\'s "so" <|>\nint f() { return 1; }\n', Region.COMMENT),
        ("javascript", "const a = `b\n  it's ${c} d <|>\nf();\n", Region.STRING),
        ("javascript", "const a = `b\n  ${c<|>\nf();\n", Region.CODE),
        ("typescriptreact", "const a = `b\n  c <|>", Region.STRING),
        ("go", "package m\nvar a = `b\n  c <|>\nfunc f() {}\n", Region.STRING),
        ("kotlin", 'val a = """b\n  c <|>\nfun f() {}\n', Region.STRING),
        ("rust", 'fn f() { let a = r#"b\n  c <|>\n}\nfn g() {}\n', Region.STRING),
        ("lua", "local a = [[b\n  c <|>\nlocal d = 1\n", Region.STRING),
        # A quote is open only to the end of its line, and so is what stands behind it.
        ("c", 'int f() { g("src/*);\n  <|>\n}\n', Region.CODE),
        ("c", "int f() { g(; /* a */ <|>\n", Region.CODE),
        ("javascript", "f(; x = `a\n${b}`;\n<|>\n", Region.CODE),
    ],
)
def test_what_goes_over_lines_while_it_is_written(language_id: str, marked: str, region: Region) -> None:
    text, offset = cursor(marked)
    assert region_at(Snapshot.open(text, language_id), offset) == region


SOUND = {language_id: cursor(sample.text)[0] for language_id, sample in SAMPLES.items()}
SOUND |= {language_id: cursor(marked)[0] for language_id, marked in GENERIC.items()} | DATA


@pytest.mark.parametrize("language_id", SOUND)
def test_sound_code_is_what_the_tree_says(language_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = Snapshot.open(SOUND[language_id] * 2, language_id)
    places = range(len(snapshot.text) + 1)
    found = [region_at(snapshot, offset) for offset in places]
    monkeypatch.setattr(regions, "open_span", lambda *_: None)
    assert found == [region_at(snapshot, offset) for offset in places]


@pytest.mark.parametrize("opening", ["(", "[", "f(", "{1: "])
def test_code_that_is_nested_deeper_than_python_calls(opening: str) -> None:
    text = "x = 'a'\n" + "y = (" + opening * 3000 + "\nz = 'b"
    assert region_at(Snapshot.open(text, "python"), 5) is Region.STRING
    assert region_at(Snapshot.open(text, "python"), len(text)) in Region
