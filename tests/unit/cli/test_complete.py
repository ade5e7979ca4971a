"""``shardlight complete``: reading the place, and refusing what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.cli.complete import parse_place, project_root
from lsp_server.cli.main import main
from lsp_server.errors import RefusedError
from lsp_server.text.positions import Position


def test_place_counts_from_one() -> None:
    assert parse_place("src/app.py:12:5") == (Path("src/app.py"), Position(11, 4))


def test_path_may_hold_colons() -> None:
    assert parse_place("C:/app.py:1:1") == (Path("C:/app.py"), Position(0, 0))


@pytest.mark.parametrize(
    "text", ["app.py", "app.py:1", "app.py:0:1", "app.py:1:0", "app.py:a:b", "app.py:-1:1", ":1:1"]
)
def test_other_forms_are_refused_with_the_form(text: str) -> None:
    with pytest.raises(RefusedError, match="FILE:LINE:COL"):
        parse_place(text)


def test_project_root_is_marked(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    package = tmp_path / "src" / "package"
    package.mkdir(parents=True)
    assert project_root(package / "module.py") == tmp_path


def test_project_root_is_above_the_outermost_package(tmp_path: Path) -> None:
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").touch()
    assert project_root(inner / "module.py") == tmp_path


def test_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", f"{tmp_path}/none.py:1:1"]) == 1
    assert "none.py cannot be read" in capsys.readouterr().err


def test_file_that_is_not_utf8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(b"x = '\xe9'\n")
    assert main(["complete", f"{path}:1:1"]) == 1
    assert "latin.py is not UTF-8 (byte 5)" in capsys.readouterr().err


def test_secrets_are_never_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".env"
    path.write_text("TOKEN=1\n", encoding="utf-8")
    assert main(["complete", f"{path}:1:1"]) == 1
    assert "may hold secrets" in capsys.readouterr().err
