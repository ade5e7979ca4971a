from __future__ import annotations

import pytest

from lsp_server.syntax.comments import comment_at, without_comments
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor

CASES = [
    ("sql", "-- all <|>users\n\n", "-- all users", "all users"),
    ("sql", "SELECT 1;\n  -- all\n  -- use<|>rs\n\n-- other\n", "-- all\n  -- users", "all\nusers"),
    ("sql", "/* all\n * us<|>ers\n */\n", "/* all\n * users\n */", "all\nusers"),
    ("shellscript", "#!/bin/sh\n# fi<|>nd it\n", "# find it", "find it"),
    ("python", "# one\n# tw<|>o\nx = 1\n", "# one\n# two", "one\ntwo"),
    ("javascript", "// one\n// <|>two\nx;\n", "// one\n// two", "one\ntwo"),
    ("sql", "-- <|>größer 漢😀\n", "-- größer 漢😀", "größer 漢😀"),
]


@pytest.mark.parametrize(("language", "marked", "whole", "said"), CASES)
def test_a_comment_is_found(language: str, marked: str, whole: str, said: str) -> None:
    text, offset = cursor(marked)
    found = comment_at(Snapshot.open(text, language), offset)
    assert found
    assert (text[found.start : found.end], found.text) == (whole, said)


def test_crlf() -> None:
    text = "-- all\r\n-- users\r\n\r\n"
    found = comment_at(Snapshot.open(text, "sql"), 3)
    assert found
    assert (text[found.start : found.end], found.text) == ("-- all\r\n-- users", "all\nusers")


@pytest.mark.parametrize(
    ("language", "marked"),
    [
        ("sql", "SELECT 1; -- <|>all\n"),
        ("sql", "SELECT '-- <|>all';\n"),
        ("sql", "<|>\n-- all\n"),
        ("shellscript", "#!/bin/<|>sh\n"),
        ("python", 'x = """\n# <|>no\n"""\n'),
        ("plaintext", "# <|>no\n"),
    ],
)
def test_what_is_no_comment(language: str, marked: str) -> None:
    text, offset = cursor(marked)
    assert comment_at(Snapshot.open(text, language), offset) is None


@pytest.mark.parametrize(
    ("language", "text", "rest"),
    [
        (
            "sql",
            "SELECT 1; /* one */\nCOMMENT ON TABLE t IS 'it';\n-- two\n",
            "SELECT 1; \nCOMMENT ON TABLE t IS 'it';\n\n",
        ),
        ("python", "x = '# no'  # yes\n", "x = '# no'  \n"),
        ("rust", "/// Doc.\nfn f() {} // why\n", "fn f() {} \n"),
        ("plaintext", "# as it is\n", "# as it is\n"),
    ],
)
def test_a_text_without_its_comments(language: str, text: str, rest: str) -> None:
    assert without_comments(Snapshot.open(text, language)) == rest
