from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.types import add_timings, find_target
from lsp_server.inference.backend import Timings
from lsp_server.syntax import snapshot
from lsp_server.syntax.snapshot import Snapshot
from tests.support.features import target_of


def test_the_function_around_the_cursor() -> None:
    target = target_of("def a():\n    pass\n\n\ndef b():\n    <|>pass\n")
    assert target.scope.name == "b"
    assert target.language.id == "python"


def test_code_is_at_column_0() -> None:
    target = target_of("class A:\n    @property\n    def b(self):\n        <|>return 1\n")
    assert target.code == "@property\ndef b(self):\n    return 1"


def test_code_of_a_crlf_file_with_a_blank_line_inside() -> None:
    target = target_of("class A:\r\n    def b(self):\r\n        x = 1\r\n\r\n        <|>return x\r\n")
    assert target.code == "def b(self):\n    x = 1\n\n    return x"


@pytest.mark.parametrize(
    ("language", "fence"),
    [("python", "python"), ("shellscript", "bash"), ("typescriptreact", "tsx"), ("javascriptreact", "jsx")],
)
def test_fence(language: str, fence: str) -> None:
    text = {"python": "def a():\n    <|>pass\n", "shellscript": "a() {\n  <|>:\n}\n"}.get(
        language, "function a() {<|>}\n"
    )
    assert target_of(text, language).fence == fence


def test_no_function_is_refused_with_a_way_out() -> None:
    with pytest.raises(RefusedError, match="no function at the cursor") as caught:
        target_of("x = 1<|>\n")
    assert caught.value.hint


@pytest.mark.parametrize(("language", "name"), [("brainfuck", "brainfuck"), ("", "this kind of file"), ("css", "CSS")])
def test_a_language_without_functions_says_so(language: str, name: str) -> None:
    with pytest.raises(RefusedError, match=f"does not know the functions of {name}"):
        find_target(Snapshot.open("a { b: c }", language), 0, PurePosixPath("a"))


def test_a_file_that_is_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "LONGEST", 20)
    with pytest.raises(RefusedError, match="too long for that") as refused:
        find_target(Snapshot.open("def a():\n    return 12345\n", "python"), 12, PurePosixPath("a.py"))
    assert "Completion works" in refused.value.hint
    assert find_target(Snapshot.open("def a():\n  pass\n", "python"), 12, PurePosixPath("a.py"))


def test_adding_timings() -> None:
    first = Timings(100, 10, 20, ttft_ms=50, total_ms=250, predicted_per_second=64)
    second = Timings(120, 110, 10, ttft_ms=5, total_ms=105, predicted_per_second=64)
    assert add_timings(first, second) == Timings(220, 120, 30, 50, 355, 64)
    assert add_timings(Timings(), second).ttft_ms == 5
    assert add_timings(Timings(), Timings()) == Timings()
