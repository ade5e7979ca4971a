from __future__ import annotations

import pytest

from lsp_server.syntax.checks import equal_without_docs, error_begins_in, error_count, has_error, parses
from lsp_server.syntax.snapshot import Snapshot


@pytest.mark.parametrize(
    ("language_id", "text", "errors"),
    [
        ("python", "x = 1\n", 0),
        ("python", "x = (\n", 1),
        ("python", "def f(:\n    pass\n\nx = 1\ny = )\n", 2),
        ("javascript", "f(1;\n", 1),
        ("javascript", "f(1);\n", 0),
        ("klingon", "((((", 0),
    ],
)
def test_errors(language_id: str, text: str, errors: int) -> None:
    snapshot = Snapshot.open(text, language_id)
    assert has_error(snapshot) == (errors > 0)
    assert parses(text, language_id) == (errors == 0)
    assert (error_count(snapshot) > 0) == (errors > 0)


def test_errors_are_counted() -> None:
    one = error_count(Snapshot.open("f(1;\n", "javascript"))
    two = error_count(Snapshot.open("f(1;\ng();\nf(2;\n", "javascript"))
    assert (one, two) == (1, 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n<f(1;>\ny = 2\n", True),
        ("x = 1\n<f(1);>\ng(2;\n", False),
        ("g(2;\n<f(1);>\ny = 2\n", False),
        ("<f(1>", True),
    ],
)
def test_errors_of_a_stretch(text: str, found: bool) -> None:
    start, end = text.index("<"), text.index(">") - 1
    snapshot = Snapshot.open(text.replace("<", "").replace(">", ""), "javascript")
    assert error_begins_in(snapshot, start, end) == found


def test_without_a_grammar_no_stretch_has_errors() -> None:
    assert not error_begins_in(Snapshot.open("((((", "klingon"), 0, 4)


def _equal(before: str, after: str, language_id: str = "python") -> bool:
    forth = equal_without_docs(Snapshot.open(before, language_id), Snapshot.open(after, language_id))
    back = equal_without_docs(Snapshot.open(after, language_id), Snapshot.open(before, language_id))
    assert forth == back
    return forth


CODE = "def f(a):\n    # why\n    if a:\n        return 1\n    return 2\n"


@pytest.mark.parametrize(
    "after",
    [
        CODE,
        CODE.replace("):\n", '):\n    """Doc."""\n'),
        CODE.replace("):\n", '):\n    """Doc.\n\n    More.\n    """\n\n'),
        CODE.replace("    # why\n", '    # why\n    """Doc."""\n'),
        '"""File."""\n' + CODE,
        CODE.replace("    ", "\t"),
        CODE.replace("return 1", "return  1"),
    ],
)
def test_documentation_and_layout_do_not_count(after: str) -> None:
    assert _equal(CODE, after)


@pytest.mark.parametrize(
    "after",
    [
        CODE.replace("return 1", "return 3"),
        CODE.replace("(a)", "(a, b)"),
        CODE.replace("    return 2\n", ""),
        CODE.replace("    return 2", "        return 2"),
        CODE.replace("# why", "# what"),
        CODE.replace("    # why\n", ""),
        CODE.replace("return 2", 'x = """Doc."""\n    return 2'),
        CODE.replace("return 2", '"""Not documentation."""\n    return 2'),
        CODE + "@x\n",
    ],
)
def test_code_and_comments_count(after: str) -> None:
    assert not _equal(CODE, after)


def test_documenting_what_has_no_body_yet() -> None:
    assert _equal("def f():\n    \n\nx = 1\n", 'def f():\n    """Doc."""\n\nx = 1\n')
    assert _equal('def f():\n    """Old."""\n', 'def f():\n    """New."""\n')
    assert not _equal("def f():\n    pass\n", 'def f():\n    """Doc."""\n')


@pytest.mark.parametrize(
    ("before", "after", "equal"),
    [
        ("function f() {}\n", "/** Doc. */\nfunction f() {}\n", True),
        ("/** Old. */\nfunction f() {}\n", "/**\n * New.\n */\nfunction f() {}\n", True),
        ("// note\nfunction f() {}\n", "// note\n/** Doc. */\nfunction f() {}\n", True),
        ("// note\nfunction f() {}\n", "/** Doc. */\nfunction f() {}\n", False),
        ("function f() { g(); }\n", "/** Doc. */\nfunction f() { g(1); }\n", False),
    ],
)
def test_documentation_above(before: str, after: str, equal: bool) -> None:
    assert _equal(before, after, "typescript") == equal


def test_all_kinds_of_comments_may_be_documentation() -> None:
    code = "CREATE FUNCTION f(a int) RETURNS int AS $$ SELECT a $$ LANGUAGE sql;\n"
    assert _equal(f"/* Old. */\n{code}", f"-- New.\n{code}", "sql")
    assert not _equal(f"SELECT 1; /* why */\n{code}", f"SELECT 1;\n-- New.\n{code}", "sql")


def test_without_a_grammar_only_the_same_text_is_the_same() -> None:
    assert _equal("a", "a", "klingon")
    assert not _equal("a", "a ", "klingon")
