from __future__ import annotations

from pathlib import Path

from lsp_server.context.workspace import Workspace
from lsp_server.features.trial.usages import factories, usages
from lsp_server.testing.project import Project


def test_calls_that_can_stand_alone(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "a.py").write_text(
        "def shape(a, b=1):\n    return a\n\n\nprint(shape('é', b=[1, {2: None}]))\nself.shape((3,))\nshape(x)\n"
        "shape()\nshape(*[1])\nreshape(4)\nshape(lambda: 1)\n",
        encoding="utf-8",
    )
    (tmp_path / "broken.py").write_text("shape(5\n", encoding="utf-8")
    (tmp_path / "test_a.py").write_text("shape(6)\n", encoding="utf-8")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "a.py").write_text("shape(7)\n", encoding="utf-8")
    project = Project(tmp_path, tmp_path, Workspace((tmp_path,), lambda _path: None))
    assert usages("shape", project) == ["shape((3,))", "shape(lambda: 1)", "shape('é', b=[1, {2: None}])"]
    assert usages("other", project) == []


def test_methods_of_a_class_that_make_one() -> None:
    code = """
class Lexer:
    @classmethod
    def shared(cls):
        return cls()

    @staticmethod
    def plain(size=1, *, fast=True):
        return Lexer(size)

    @classmethod
    def of(cls, text):
        return cls(text)

    @staticmethod
    def named(*, name):
        return Lexer(name)

    @classmethod
    def clear(cls):
        cls()

    @classmethod
    def count(cls):
        return 1

    def copy(self):
        return Lexer()


class Other:
    @classmethod
    def shared(cls):
        return cls()
"""
    assert factories("Lexer", code) == ["Lexer.shared()", "Lexer.plain()"]
    assert factories("Missing", code) == factories("Lexer", "class") == []
