from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from lsp_server import own_python
from lsp_server.engine.hardware import probe_library
from lsp_server.inference.launcher import EngineSpec, command_of
from tests.support.editor import REPOSITORY


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in whose modules would be run instead of those that are meant; what they leave if they are."""
    ran = tmp_path / "ran"
    for module in ("json", "psutil", "lsp_server"):
        (tmp_path / module).mkdir()
        (tmp_path / module / "__init__.py").write_text(f"open({str(ran)!r}, 'w').close()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return ran


def test_a_workspace_lends_no_modules(trap: Path) -> None:
    command = own_python.command("lsp_server", "--version")
    subprocess.run(command, cwd=own_python.FOLDER, check=True, capture_output=True)
    assert not trap.exists()
    # Which shows that the trap is one.
    subprocess.run(command, check=False, capture_output=True)
    assert trap.exists()


def test_llama_cpp_is_not_looked_for_there(trap: Path) -> None:
    assert probe_library().version
    assert not trap.exists()


def test_a_model_is_named_by_its_whole_path(trap: Path) -> None:
    spec = EngineSpec("m", Path("m.gguf"), 1, 0, 1, 0, 1)
    assert str(trap.parent / "m.gguf") in command_of(spec)


def test_there_is_no_second_way() -> None:
    for path in (REPOSITORY / "lsp_server").rglob("*.py"):
        if path.name in ("own_python.py", "pip_download.py") or "testing" in path.parts:
            continue
        texts = [node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)]
        assert "-m" not in texts, path


def test_no_command_goes_through_a_shell() -> None:
    through = {"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell"}
    for path in (REPOSITORY / "lsp_server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                assert "shell" not in {keyword.arg for keyword in node.keywords}, path
                assert getattr(node.func, "attr", "") not in through or _is_platform(node.func), path


def _is_platform(called: ast.expr) -> bool:
    """`platform.system()` says what this system is."""
    return isinstance(called, ast.Attribute) and getattr(called.value, "id", "") == "platform"
