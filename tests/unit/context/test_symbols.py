from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.files import FileCache
from lsp_server.context.symbols import NearbySymbols, same_family
from lsp_server.context.workspace import Workspace
from lsp_server.syntax.languages import language

Files = Callable[[dict[str, str]], None]


@pytest.fixture
def near(root: Path, workspace: Workspace) -> NearbySymbols:
    return NearbySymbols(root / "pkg" / "main.py", workspace, FileCache())


def test_names_of_the_file_its_imports_and_its_folder_are_known(near: NearbySymbols, files: Files, root: Path) -> None:
    files(
        {
            "pkg/main.py": "from lib.shapes import Circle\n\ndef own(): ...\n",
            "pkg/beside.py": "def beside(): ...\n",
            "lib/__init__.py": "",
            "lib/shapes.py": "class Circle: ...\n",
            "far/away.py": "def far(): ...\n",
        }
    )
    found = near.definitions(["own", "beside", "Circle", "far"])
    assert {name: [s.path for s in symbols] for name, symbols in found.items()} == {
        "own": [root / "pkg/main.py"],
        "beside": [root / "pkg/beside.py"],
        "Circle": [root / "lib/shapes.py"],
    }


def test_imports_are_resolved_where_they_can_be(near: NearbySymbols, files: Files, root: Path) -> None:
    files({"pkg/main.py": "import os\nfrom .beside import one\n", "pkg/beside.py": "one = 1\n"})
    found = near.imports_of(root / "pkg/main.py")
    assert [(i.module, i.names, i.target) for i in found] == [
        ("os", (), None),
        ("beside", ("one",), root / "pkg/beside.py"),
    ]


def test_a_file_that_is_not_there_has_nothing(near: NearbySymbols, root: Path) -> None:
    assert near.definitions(["x"]) == {}
    assert near.symbols_in(root / "none.py") == ()
    assert near.imports_of(root / "none.py") == ()


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("python", "python", True),
        ("typescript", "javascriptreact", True),
        ("c", "cpp", True),
        ("python", "ruby", False),
        ("python", "", False),
    ],
)
def test_families(first: str, second: str, same: bool) -> None:
    assert same_family(language(first), language(second)) is same
