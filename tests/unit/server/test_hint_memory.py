from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.features.bug_hints import BugHint
from lsp_server.inference.backend import Timings
from lsp_server.server import hint_memory
from lsp_server.server.hint_memory import HintMemory
from lsp_server.text.edits import TextEdit

TEXT = "def f(a, b):\n    größe = a\n    return a - b\n"
AT = TEXT.index("- b")
HINT = BugHint(TEXT, AT, AT + 1, "wrong", "Fix: `return a + b`", (TextEdit(AT, AT + 1, "+"),), 4.5, Timings())


@pytest.fixture
def memory(tmp_path: Path) -> HintMemory:
    return HintMemory(tmp_path / "state" / "hints.sqlite3")


def test_answers_come_back(memory: HintMemory, tmp_path: Path) -> None:
    assert memory.answer("one") == (False, None)
    memory.keep("one", HINT)
    memory.keep("two", None)
    for other in (memory, HintMemory(tmp_path / "state" / "hints.sqlite3")):
        assert other.answer("one") == (True, HINT)
        assert other.answer("two") == (True, None)
    memory.keep("one", None)
    assert memory.answer("one") == (True, None)


@pytest.mark.skipif(sys.platform == "win32", reason="rights are others there")
def test_only_the_user_can_read_them(memory: HintMemory, tmp_path: Path) -> None:
    path = tmp_path / "state" / "hints.sqlite3"
    memory.keep("one", HINT)
    assert path.stat().st_mode & 0o777 == 0o600
    # One of an older version.
    path.chmod(0o644)
    memory.keep("two", HINT)
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_oldest_go_first(memory: HintMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hint_memory, "_MOST", 3)
    for number in range(5):
        memory.keep(str(number), None)
    assert [memory.answer(str(number))[0] for number in range(5)] == [False, False, True, True, True]


def test_what_is_dismissed_is_the_line_and_what_it_would_be(memory: HintMemory) -> None:
    assert not memory.is_dismissed(HINT)
    memory.dismiss(HINT)
    memory.dismiss(HINT)
    assert memory.is_dismissed(HINT)
    longer = replace(
        HINT,
        function_text=f"# more\n{TEXT}",
        start=AT + 7,
        end=AT + 8,
        edits=(TextEdit(AT + 7, AT + 8, "+"),),
    )
    assert memory.is_dismissed(longer)
    assert not memory.is_dismissed(replace(HINT, edits=(TextEdit(AT, AT + 1, "*"),)))


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\xff" * 100])
def test_a_damaged_file_is_no_trouble(memory: HintMemory, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state" / "hints.sqlite3"
    path.parent.mkdir()
    path.write_bytes(content)
    memory.keep("one", HINT)
    memory.dismiss(HINT)
    assert memory.answer("one") == (False, None)
    assert not memory.is_dismissed(HINT)


def test_a_place_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = HintMemory(tmp_path / "file" / "hints.sqlite3")
    memory.keep("one", HINT)
    assert memory.answer("one") == (False, None)


def test_an_answer_of_another_version_is_asked_anew(memory: HintMemory) -> None:
    memory.keep("one", HINT)
    memory._tried(lambda database: database.execute("UPDATE answers SET hint = '{\"edits\": []}'"), None)
    assert memory.answer("one") == (False, None)
