from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.completion.cross_file import Sources, candidates
from benchmarks.completion.projects import Project

SHAPES = """\
class Square:
    def __init__(self):
        self.sides = 4

    def measure(self):
        return 1


def square():
    return Square()
"""
USE = """\
import os
from .shapes import Square, square
from pack import shapes


def run():
    shape = square()
    twice = Square()
    twice = Square()
    return shape.measure() + 1


def walk(measured):
    own = os.getcwd()
    return own.upper(), shapes.square
"""
FILES = {"pack/__init__.py": "", "pack/shapes.py": SHAPES, "pack/use.py": USE}


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    monkeypatch.setattr(Project, "root", tmp_path)
    for name, text in FILES.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Sources(Project("pack", "1", "src/pack", "", "src"))


def test_where_imports_lead(sources: Sources) -> None:
    assert sources.imports("src/pack/use.py") == ["src/pack/shapes.py"]
    assert sources.imports("src/pack/shapes.py") == []


def test_a_hole_begins_with_a_name_of_another_file(sources: Sources) -> None:
    holes = {hole.truth: hole for hole in candidates({"pack": sources}, seed=1)}

    assert holes.keys() == {"measure() + 1", "shapes.square"}
    assert {hole.path for hole in holes.values()} == {"src/pack/use.py"}
