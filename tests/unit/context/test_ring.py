from __future__ import annotations

from pathlib import Path

from lsp_server.context.ring import CAPACITY, CHUNK_CHARS, CHUNK_LINES, RecentChunks, text_around
from lsp_server.text.positions import LineIndex

A, B = Path("/w/a.py"), Path("/w/b.py")
TEXT = "def area(radius):\n    return math.pi * radius ** 2\n\n\ndef square(side): ...\n"


def test_the_latest_come_first() -> None:
    ring = RecentChunks()
    ring.viewed(A, TEXT)
    ring.edited(B, "class Cart:\n    total = price\n")
    assert [(c.path, c.edited) for c in ring.latest()] == [(B, True), (A, False)]


def test_a_new_version_takes_the_place_of_the_old_one() -> None:
    ring = RecentChunks()
    ring.edited(A, TEXT)
    ring.viewed(A, TEXT + "\n")
    assert [(c.text, c.edited) for c in ring.latest()] == [(TEXT + "\n", True)]


def test_the_same_text_of_another_file_is_another_chunk() -> None:
    ring = RecentChunks()
    ring.viewed(A, TEXT)
    ring.viewed(B, TEXT)
    assert len(ring.latest()) == 2


def test_the_oldest_are_forgotten() -> None:
    ring = RecentChunks()
    for n in range(CAPACITY + 3):
        ring.viewed(A, f"first_{n} second_{n} third_{n}")
    latest = ring.latest()
    assert len(latest) == CAPACITY
    assert latest[-1].text == "first_3 second_3 third_3"


def test_secrets_and_excluded_files_are_not_remembered() -> None:
    ring = RecentChunks(excluded=lambda path: path == B)
    for path in (Path("/w/.env"), Path("/w/secrets.yaml"), B):
        ring.edited(path, TEXT)
    assert ring.latest() == ()


def test_what_is_excluded_later_is_not_told() -> None:
    excluded = set[Path]()
    ring = RecentChunks(excluded.__contains__)
    ring.edited(A, TEXT)
    ring.edited(B, TEXT)
    excluded.add(B)
    assert [chunk.path for chunk in ring.latest()] == [A]


def test_a_page_that_says_nothing_is_not_remembered() -> None:
    ring = RecentChunks()
    ring.viewed(A, "\n\n# x\n")
    assert ring.latest() == ()


def test_text_around_is_whole_lines() -> None:
    lines = LineIndex("".join(f"{n}\n" for n in range(500)))
    found = text_around(lines, lines.line_start(200) + 1)
    assert found.startswith("168\n")
    assert found.endswith("231\n")
    assert found.count("\n") == CHUNK_LINES
    assert text_around(LineIndex("one line"), 3) == "one line"


def test_of_very_long_lines_the_text_around_is_a_part() -> None:
    lines = LineIndex("a" * 50_000 + "|" + "b" * 50_000)
    for offset in (0, 50_000, 100_001):
        assert len(text_around(lines, offset)) <= CHUNK_CHARS
    assert "|" in text_around(lines, 50_000)
