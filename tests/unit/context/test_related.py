from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.related import BUDGET_CHARS, neighbours, related_files
from lsp_server.context.workspace import Workspace
from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.snapshot import Snapshot
from tests.support.links import go_round

SHAPES = '''"""Shapes."""


class Circle:
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return 3.14 * self.radius ** 2


def unit_circle() -> Circle:
    """The circle of radius 1."""
    return Circle(1)
'''

Files = Callable[[dict[str, str]], None]


def related(text: str, name: str, workspace: Workspace, root: Path, used_in: str | None = None) -> dict[str, str]:
    language = language_for_path(name)
    snapshot = Snapshot.open(text, language.id if language else "")
    return {found.path: found.text for found in related_files(snapshot, root / name, workspace, used_in=used_in)}


def test_imported_names_are_shown_as_stubs(files: Files, workspace: Workspace, root: Path) -> None:
    files({"shapes.py": SHAPES})
    found = related("from shapes import unit_circle\n", "main.py", workspace, root)
    assert list(found) == ["shapes.py"]
    assert "def unit_circle() -> Circle:" in found["shapes.py"]
    assert "The circle of radius 1." in found["shapes.py"]
    assert "Circle(1)" not in found["shapes.py"]
    assert "class Circle" not in found["shapes.py"]


def test_a_module_imported_whole_is_shown_whole(files: Files, workspace: Workspace, root: Path) -> None:
    files({"shapes.py": SHAPES})
    for line in ("import shapes\n", "from shapes import *\n"):
        stubs = related(line, "main.py", workspace, root)["shapes.py"]
        assert "class Circle" in stubs
        assert "def area(self)" in stubs


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from pkg.shapes import Circle\n", ["pkg/shapes.py"]),
        ("from pkg import shapes\n", ["pkg/shapes.py"]),
        ("import pkg.shapes\n", ["pkg/shapes.py"]),
        ("from .shapes import Circle\n", ["pkg/shapes.py"]),
        ("from . import shapes\n", ["pkg/shapes.py"]),
        ("from ..top import helper\n", ["top.py"]),
        ("from pkg.missing import x\n", []),
        ("import os\n", []),
    ],
)
def test_python_modules_are_found(
    line: str, expected: list[str], files: Files, workspace: Workspace, root: Path
) -> None:
    files({"pkg/__init__.py": "", "pkg/shapes.py": SHAPES, "top.py": "def helper(): ...\n"})
    assert list(related(line, "pkg/main.py", workspace, root)) == expected


def test_src_layout(files: Files, workspace: Workspace, root: Path) -> None:
    files({"src/shop/cart.py": "def total(): ...\n"})
    assert list(related("from shop.cart import total\n", "tests/test_cart.py", workspace, root)) == ["src/shop/cart.py"]


def test_a_package_wins_over_a_module_of_its_name(files: Files, workspace: Workspace, root: Path) -> None:
    files({"shapes.py": "def old(): ...\n", "shapes/__init__.py": "def new(): ...\n"})
    assert list(related("import shapes\n", "main.py", workspace, root)) == ["shapes/__init__.py"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('import { area } from "./shapes"', "web/shapes.ts"),
        ('import { area } from "./shapes.js"', "web/shapes.ts"),
        ('import { area } from "../web/shapes"', "web/shapes.ts"),
        ('import { area } from "./lib"', "web/lib/index.ts"),
    ],
)
def test_typescript_modules_are_found(line: str, expected: str, files: Files, workspace: Workspace, root: Path) -> None:
    area = "export function area(r: number): number { return 3 * r * r; }\n"
    files({"web/shapes.ts": area, "web/lib/index.ts": area})
    found = related(f"{line};\n", "web/main.ts", workspace, root)
    assert list(found) == [expected]
    assert "area(r: number): number" in found[expected]


def test_packages_of_npm_are_left_alone(files: Files, workspace: Workspace, root: Path) -> None:
    files({"react/index.ts": "export function useState(): void {}\n"})
    assert related('import { useState } from "react";\n', "main.ts", workspace, root) == {}


def test_order_is_that_of_the_imports(files: Files, workspace: Workspace, root: Path) -> None:
    files({"b.py": "def b(): ...\n", "a.py": "def a(): ...\n"})
    assert list(related("from b import b\nfrom a import a\n", "main.py", workspace, root)) == ["b.py", "a.py"]


def test_only_what_is_used_is_shown(files: Files, workspace: Workspace, root: Path) -> None:
    files({"shapes.py": SHAPES, "b.py": "def b(): ...\n"})
    text = "from shapes import Circle, unit_circle\nfrom b import b\n"
    found = related(text, "main.py", workspace, root, used_in="return unit_circle()")
    assert list(found) == ["shapes.py"]
    assert "class Circle" not in found["shapes.py"]


@pytest.mark.parametrize("text", ["from shapes import unit_circle as make", "import shapes as make"])
def test_what_is_used_by_another_name_is_shown(text: str, files: Files, workspace: Workspace, root: Path) -> None:
    files({"shapes.py": SHAPES})
    assert list(related(text + "\n", "main.py", workspace, root, used_in="return make()")) == ["shapes.py"]
    assert related(text + "\n", "main.py", workspace, root, used_in="return unit_circle()") == {}


def test_what_is_typed_but_not_saved_counts(files: Files, root: Path) -> None:
    files({"shapes.py": SHAPES})
    workspace = Workspace((root,), lambda path: "def typed(): ...\n" if path.name == "shapes.py" else None)
    assert "def typed()" in related("import shapes\n", "main.py", workspace, root)["shapes.py"]


def test_budget_holds_and_a_smaller_file_still_gets_in(files: Files, workspace: Workspace, root: Path) -> None:
    big = "".join(f"def function_with_a_long_name_{n}(first, second): ...\n" for n in range(200))
    files({"big.py": big, "small.py": "def small(): ...\n"})
    found = related("import big\nimport small\n", "main.py", workspace, root)
    assert list(found) == ["small.py"]
    assert sum(map(len, found.values())) <= BUDGET_CHARS


def test_nothing_outside_the_workspace_is_read(files: Files, workspace: Workspace, root: Path) -> None:
    (root.parent / "other.py").write_text("def other(): ...\n", encoding="utf-8")
    (root.parent / "other.ts").write_text("export function other(): void {}\n", encoding="utf-8")
    files({"pkg/__init__.py": ""})
    assert related("from ...other import other\n", "pkg/main.py", workspace, root) == {}
    assert related("from ..other import other\n", "main.py", workspace, root) == {}
    assert related('import { other } from "../other";\n', "main.ts", workspace, root) == {}


def test_secrets_and_unreadable_files_are_left_out(files: Files, workspace: Workspace, root: Path) -> None:
    (root / "latin1.py").write_bytes(b"def f(): return '\xe9'\n")
    files({"secrets.json": "{}"})
    assert related("import latin1\n", "main.py", workspace, root) == {}
    assert related('import keys from "./secrets.json";\n', "main.ts", workspace, root) == {}


def test_what_is_excluded_is_left_out(files: Files, root: Path) -> None:
    files({"local.py": "KEY = 1\n", "shapes.py": SHAPES})
    workspace = Workspace((root,), lambda _path: None, lambda path: path.name == "local.py")
    assert list(related("import local\nimport shapes\n", "main.py", workspace, root)) == ["shapes.py"]


def test_a_document_without_a_file_uses_nothing(
    files: Files, workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files({"shapes.py": SHAPES})
    monkeypatch.chdir(root)
    snapshot = Snapshot.open("import shapes\n", "python")
    assert related_files(snapshot, Path("Untitled-1"), workspace) == ()


def test_a_file_does_not_use_itself(files: Files, workspace: Workspace, root: Path) -> None:
    files({"main.py": "def f(): ...\n"})
    assert related("import main\n", "main.py", workspace, root) == {}


def test_a_workspace_behind_a_link(files: Files, root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    try:
        link.symlink_to(root, target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")
    files({"shapes.ts": "export function area(): void {}\n"})
    workspace = Workspace((link,), lambda _path: None)
    assert list(related('import { area } from "./shapes";\n', "main.ts", workspace, link)) == ["shapes.ts"]


def test_links_that_go_round_are_no_neighbours(workspace: Workspace, root: Path) -> None:
    go_round(root)
    for folder in (root / "a", root / "a" / "b", root / "a" / "b" / "b" / "deep" / "up" / "a"):
        assert neighbours(folder / "main.py", workspace) == ("kept = 1\n",)
    for folder in (root, root / "there", root / "a" / "itself"):
        assert neighbours(folder / "main.py", workspace) == ()
