from __future__ import annotations

from pathlib import Path

from lsp_server.context.workspace import Workspace
from lsp_server.features.trial.usages import usages
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
