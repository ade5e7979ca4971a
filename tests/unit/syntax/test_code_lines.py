from __future__ import annotations

import pytest

from lsp_server.syntax.code_lines import first_code, line_above, without_comment
from lsp_server.syntax.snapshot import Snapshot

TEXT = 'def f():\n    """D\nocs\n    """\n# c\n\n    if a:  # b\n        x = "#"\n'


@pytest.mark.parametrize(("depth", "line"), [(9, 7), (8, 6), (5, 6), (4, 0), (1, 0), (0, None)])
def test_the_line_above_is_code(depth: int, line: int | None) -> None:
    assert line_above(Snapshot.open(TEXT, "python"), len(TEXT), depth) == line


def test_the_line_above_may_be_far_above() -> None:
    text = "class A:\n" + "    x = 1\n" * 5000
    assert line_above(Snapshot.open(text, "python"), len(text), 4) == 0
    assert line_above(Snapshot.open(text[9:], "python"), len(text) - 9, 4) is None


def test_the_first_line_of_code() -> None:
    snapshot = Snapshot.open(TEXT, "python")
    after_signature = TEXT.index("\n")
    assert first_code(snapshot, after_signature, len(TEXT), r"[ \t]*") == TEXT.index('"""')
    assert first_code(snapshot, after_signature, len(TEXT), " {8}") == TEXT.index("x =")
    assert first_code(snapshot, after_signature, len(TEXT), "") is None


def test_a_line_without_its_comment() -> None:
    snapshot = Snapshot.open(TEXT, "python")
    assert without_comment(snapshot, 6) == "    if a:  "
    assert without_comment(snapshot, 7) == '        x = "#"'
