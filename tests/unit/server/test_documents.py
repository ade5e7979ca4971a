from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from lsp_server.server.documents import Documents, path_of
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.positions import PositionEncoding

URI = "file:///w/a.py"
ENCODINGS = list(PositionEncoding)
UNIT_BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def opened(text: str, uri: str = URI) -> Documents:
    documents = Documents()
    documents.open(lsp.TextDocumentItem(uri, "python", 1, text))
    return documents


def text_in(documents: Documents) -> str:
    snapshot = documents.get(URI)
    assert snapshot is not None
    return snapshot.text


def change(start: tuple[int, int], end: tuple[int, int], text: str) -> lsp.TextDocumentContentChangePartial:
    return lsp.TextDocumentContentChangePartial(lsp.Range(lsp.Position(*start), lsp.Position(*end)), text)


def test_open_and_close() -> None:
    documents = opened("x = 1\n")
    snapshot = documents.get(URI)
    assert snapshot is not None
    assert (snapshot.text, snapshot.language_id, snapshot.version) == ("x = 1\n", "python", 1)
    assert [uri for uri, _ in documents] == [URI]
    documents.close(URI)
    assert documents.get(URI) is None
    documents.close(URI)


def test_the_whole_text_may_be_sent() -> None:
    documents = opened("x = 1\n")
    documents.change(URI, 2, [lsp.TextDocumentContentChangeWholeDocument("y = 2\n")], PositionEncoding.UTF16)
    snapshot = documents.get(URI)
    assert snapshot is not None
    assert (snapshot.text, snapshot.language_id, snapshot.version) == ("y = 2\n", "python", 2)


def test_each_change_is_on_top_of_the_one_before() -> None:
    documents = opened("abc")
    documents.change(URI, 2, [change((0, 1), (0, 2), "\n"), change((1, 0), (1, 1), "d")], PositionEncoding.UTF16)
    assert text_in(documents) == "a\nd"


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 7), ("utf-16", 3), ("utf-32", 2)])
def test_columns_are_counted_in_the_negotiated_unit(encoding: str, column: int) -> None:
    documents = opened("😀漢xz")
    documents.change(URI, 2, [change((0, column), (0, column + 1), "y")], PositionEncoding(encoding))
    assert text_in(documents) == "😀漢yz"


def test_positions_outside_the_text_are_moved_into_it() -> None:
    documents = opened("ab\ncd")
    documents.change(URI, 2, [change((0, 99), (99, 0), "!")], PositionEncoding.UTF16)
    assert text_in(documents) == "ab!"
    documents.change(URI, 3, [change((50, 0), (60, 0), "?")], PositionEncoding.UTF16)
    assert text_in(documents) == "ab!?"


def test_a_range_that_ends_before_it_begins_is_an_insertion() -> None:
    documents = opened("abc")
    documents.change(URI, 2, [change((0, 2), (0, 1), "x")], PositionEncoding.UTF16)
    assert text_in(documents) == "abxc"


def test_only_the_protocols_line_ends_count() -> None:
    documents = opened("a\x0cb\u2028c\rd\r\ne")
    documents.change(URI, 2, [change((1, 0), (1, 1), "D"), change((2, 0), (2, 1), "E")], PositionEncoding.UTF16)
    assert text_in(documents) == "a\x0cb\u2028c\rD\r\nE"


def test_a_change_of_an_unknown_document_is_ignored() -> None:
    documents = Documents()
    documents.change(URI, 2, [change((0, 0), (0, 0), "x")], PositionEncoding.UTF16)
    assert documents.get(URI) is None


def test_the_document_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "größe und maß.py"
    documents = opened("x", path.as_uri())
    assert documents.at(path) is documents.get(path.as_uri())
    assert documents.at(tmp_path / "other.py") is None
    assert [found for found, _ in documents.files()] == [path]
    documents.close(path.as_uri())
    assert documents.at(path) is None
    assert documents.files() == []


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "vscode-notebook-cell:/w/a.ipynb#c1", "http://example.org/a"])
def test_only_file_uris_have_a_path(uri: str) -> None:
    assert path_of(uri) is None


@pytest.mark.skipif(sys.platform == "win32", reason="other paths there")
@pytest.mark.parametrize("uri", ["file:///w/a%20b.py", "file:///w/a b.py"])
def test_the_path_of_a_file(uri: str) -> None:
    assert path_of(uri) == Path("/w/a b.py")


def reference_position(text: str, offset: int, encoding: PositionEncoding) -> lsp.Position:
    """Found another way than in the package: by encoding what stands before on the line."""
    before = re.split(r"\r\n|\r|\n", text[:offset])
    units = len(before[-1].encode(f"{encoding.value}-le" if encoding is not PositionEncoding.UTF8 else "utf-8"))
    return lsp.Position(len(before) - 1, units // UNIT_BYTES[encoding.value])


TEXT = st.text(st.sampled_from("ab é漢😀\t\n\r"), max_size=30)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(TEXT, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), TEXT), max_size=4))
def test_changes_do_what_a_client_did(
    encoding: PositionEncoding, text: str, edits: list[tuple[float, float, str]]
) -> None:
    documents = opened(text)
    for version, (first, second, new_text) in enumerate(edits, start=2):
        start, end = sorted((round(first * len(text)), round(second * len(text))))
        # No editor has a place between the two characters of a line end.
        start -= text[start - 1 : start + 1] == "\r\n" and start > 0
        end -= text[end - 1 : end + 1] == "\r\n" and end > 0
        range_ = lsp.Range(reference_position(text, start, encoding), reference_position(text, end, encoding))
        documents.change(URI, version, [lsp.TextDocumentContentChangePartial(range_, new_text)], encoding)
        text = text[:start] + new_text + text[end:]
        snapshot = documents.get(URI)
        assert snapshot is not None
        assert snapshot.text == text
        assert snapshot.version == version
        assert str(snapshot.tree and snapshot.tree.root_node) == str(Snapshot.open(text, "python").tree.root_node)  # type: ignore[union-attr]


def test_a_file_is_known_however_its_uri_is_spelt(tmp_path: Path) -> None:
    path = tmp_path / "größe 1.py"
    documents = Documents()
    documents.open(lsp.TextDocumentItem(path.as_uri(), "python", 1, "x\n"))
    for spelt in (path.as_uri(), f"file://{path.as_posix()}" if sys.platform != "win32" else path.as_uri()):
        assert documents.known_as(spelt) == path.as_uri()
    for other in ("untitled:Untitled-1", (tmp_path / "b.py").as_uri()):
        assert documents.known_as(other) == other
