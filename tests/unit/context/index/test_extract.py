from __future__ import annotations

import pytest

from lsp_server.context.index.extract import facts, indexed_language, readable
from lsp_server.syntax.imports import Import
from lsp_server.syntax.snapshot import Snapshot


def test_what_is_kept_of_a_file() -> None:
    found = facts(Snapshot.open("import os\n\n\ndef area(r):\n    return r * r\n", "python"))
    assert [(symbol.name, symbol.kind, line) for symbol, line in found.symbols] == [("area", "function", 3)]
    assert found.imports == (Import("os"),)
    assert found.names["r"] == 3


def test_data_in_the_guise_of_a_name_is_not_kept() -> None:
    assert facts(Snapshot.open(f"{'x' * 101} = {'y' * 100}\n", "python")).names == {"y" * 100: 1}


@pytest.mark.parametrize("path", ["a.py", "src/b.ts", "c.rs", "d.kt"])
def test_languages_whose_files_have_symbols_are_indexed(path: str) -> None:
    assert indexed_language(path)


@pytest.mark.parametrize("path", ["a.md", "b.json", "c.png", "Makefile", "LICENSE"])
def test_other_files_are_not(path: str) -> None:
    assert indexed_language(path) is None


def test_text_is_told_from_what_is_none() -> None:
    assert readable("größe = 1\n".encode()) == "größe = 1\n"
    assert readable(b"a\0b") is None
    assert readable(b"\xff\xfe") is None


def test_minified_code_is_told_from_a_file_with_one_long_line() -> None:
    long = "x=1;" * 300
    assert readable(f"{long}\n{long}".encode()) is None
    few = f"{long}\n" + "const a = 1\n" * 200
    assert readable(few.encode()) == few
