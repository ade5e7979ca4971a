"""``shardlight complete``: reading the place, and refusing what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.cli.complete import parse_place, project_root
from lsp_server.cli.main import main
from lsp_server.context.index.builder import build
from lsp_server.context.index.order import Order
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.errors import RefusedError
from lsp_server.text.positions import Position


def test_place_counts_from_one() -> None:
    assert parse_place("src/app.py:12:5") == (Path("src/app.py"), Position(11, 4))


def test_path_may_hold_colons() -> None:
    assert parse_place("C:/app.py:1:1") == (Path("C:/app.py"), Position(0, 0))


@pytest.mark.parametrize(
    "text",
    [
        "app.py",
        "app.py:1",
        "app.py:0:1",
        "app.py:1:0",
        "app.py:a:b",
        "app.py:-1:1",
        ":1:1",
        "app.py:00:1",
        f"app.py:{'1' * 5000}:1",
    ],
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
    (tmp_path / ".env").write_text("TOKEN=1\n", encoding="utf-8")
    (tmp_path / "notes.py").symlink_to(".env")
    for name in (".env", "notes.py"):
        assert main(["complete", f"{tmp_path / name}:1:1", "--explain", "--no-model"]) == 1
        assert "may hold secrets" in capsys.readouterr().err


def shop(root: Path) -> Path:
    (root / "pyproject.toml").touch()
    (root / "tax.py").write_text("def tax_of(price):\n    return price\n", encoding="utf-8")
    path = root / "cart.py"
    path.write_text("from tax import tax_of\n\n\ndef total(price):\n    return tax_of()\n", encoding="utf-8")
    return path


def test_explain_says_what_a_model_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", f"{shop(tmp_path)}:5:19", "--explain", "--no-model"]) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if "tax.py" in line)
    assert row.split() == ["13", "tax.py", "used", "here:", "tax_of", "yes"]
    assert "5 lines up to the cursor and 1 behind it" in out
    assert "of which 13 are context" in out


def test_explain_says_what_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARDLIGHT_ENGINE__N_CTX", "512")
    monkeypatch.setenv("SHARDLIGHT_COMPLETION__MAX_TOKENS", "490")
    assert main(["complete", f"{shop(tmp_path)}:5:19", "--explain", "--no-model"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if "tax.py" in line)
    assert row.split()[-1] == "cut"


def test_explain_where_nothing_belongs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "alone.py"
    path.write_text("x = \n", encoding="utf-8")
    assert main(["complete", f"{path}:1:5", "--explain", "--no-model"]) == 0
    assert "Nothing but the window" in capsys.readouterr().out


def test_an_index_that_an_editor_had_built_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path.resolve()
    shop(root)
    far = root / "far" / "away.py"
    far.parent.mkdir()
    far.write_text("class Rate:\n    def apply_rate(self): ...\n", encoding="utf-8")
    path = root / "uses.py"
    path.write_text("rate.apply_rate()\n", encoding="utf-8")
    arguments = ["complete", f"{path}:1:17", "--explain", "--no-model"]
    assert main(arguments) == 0
    assert "away.py" not in capsys.readouterr().out
    build(root, WorkspaceIndex().database_of(root), Order())
    assert main(arguments) == 0
    assert "away.py" in capsys.readouterr().out


def test_without_a_model_there_is_only_an_explanation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", f"{shop(tmp_path)}:5:19", "--no-model"]) == 1
    assert "--explain" in capsys.readouterr().err
