from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.test_sites import python_test_site
from lsp_server.context.workspace import Workspace

Files = Callable[[dict[str, str]], None]


def test_new_file_goes_into_the_folder_of_tests(files: Files, workspace: Workspace, root: Path) -> None:
    files({"calc.py": "", "tests/test_other.py": ""})
    site = python_test_site(root / "calc.py", workspace)
    assert (site.root, site.path) == (root, root / "tests" / "test_calc.py")
    assert (site.exists, site.existing) == (False, None)


def test_without_such_a_folder_it_goes_beside_the_module(files: Files, workspace: Workspace, root: Path) -> None:
    files({"pkg/calc.py": ""})
    assert python_test_site(root / "pkg" / "calc.py", workspace).path == root / "pkg" / "test_calc.py"


@pytest.mark.parametrize("where", ["tests", "test", "pkg/tests", "pkg"])
def test_an_existing_file_is_extended(where: str, files: Files, workspace: Workspace, root: Path) -> None:
    files({"pkg/calc.py": "", f"{where}/test_calc.py": "# mine\r\n", "tests/test_x.py": ""})
    site = python_test_site(root / "pkg" / "calc.py", workspace)
    assert site.path == root / where / "test_calc.py"
    assert (site.exists, site.existing) == (True, "# mine\r\n")


def test_an_existing_file_that_cannot_be_read_is_said_to_be_there(
    files: Files, workspace: Workspace, root: Path
) -> None:
    files({"calc.py": ""})
    (root / "test_calc.py").write_bytes(b"# \xe9\n")
    site = python_test_site(root / "calc.py", workspace)
    assert (site.exists, site.existing) == (True, None)


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("calc.py", "calc"),
        ("pkg/sub/calc.py", "pkg.sub.calc"),
        ("src/pkg/calc.py", "pkg.calc"),
        ("pkg/__init__.py", "pkg"),
        ("__init__.py", "__init__"),
    ],
)
def test_module_name(path: str, module: str, files: Files, workspace: Workspace, root: Path) -> None:
    files({path: ""})
    assert python_test_site(root / path, workspace).module == module
