from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.workspace import Workspace
from lsp_server.testing.sites import TestSite as Site
from lsp_server.testing.sites import test_site as site_of

Files = Callable[[dict[str, str]], None]


@pytest.fixture
def site(root: Path, workspace: Workspace) -> Callable[[str, str], Site]:
    def find(path: str, language: str) -> Site:
        found = site_of(root / path, language, workspace)
        assert found is not None
        return found

    return find


Find = Callable[[str, str], Site]
MAIN, TEST, UP = "src/main/java", "src/test/java", "../../main/java/"
UNITTEST = {"tests/test_x.py": "import unittest\n"}


def needs(package: str) -> dict[str, str]:
    return {"package.json": json.dumps({"devDependencies": {package: "1"}})}


def test_new_file_goes_into_the_folder_of_tests(files: Files, site: Find, root: Path) -> None:
    files({"calc.py": "", "tests/test_other.py": ""})
    found = site("calc.py", "python")
    assert (found.project.root, found.path) == (root, root / "tests" / "test_calc.py")
    assert (found.exists, found.existing) == (False, None)


def test_without_such_a_folder_it_goes_beside_the_module(files: Files, site: Find, root: Path) -> None:
    files({"pkg/calc.py": ""})
    assert site("pkg/calc.py", "python").path == root / "pkg" / "test_calc.py"


@pytest.mark.parametrize("where", ["tests", "test", "pkg/tests", "pkg", "tests/unit/pkg"])
def test_an_existing_file_is_extended(where: str, files: Files, site: Find, root: Path) -> None:
    files({"pkg/calc.py": "", f"{where}/test_calc.py": "# mine\r\n", "tests/test_x.py": ""})
    found = site("pkg/calc.py", "python")
    assert found.path == root / where / "test_calc.py"
    assert (found.exists, found.existing) == (True, "# mine\r\n")


def test_a_folder_for_the_tests_of_a_module_takes_them(files: Files, site: Find, root: Path) -> None:
    """Beside such a folder, Python takes a file of the same name for it."""
    files({"utils.py": "", "tests/test_utils/test_one.py": "", "other.py": ""})
    assert site("utils.py", "python").path == root / "tests" / "test_utils" / "test_utils.py"
    assert site("other.py", "python").path == root / "tests" / "test_other.py"


def test_an_existing_file_that_cannot_be_read_is_said_to_be_there(files: Files, site: Find, root: Path) -> None:
    files({"calc.py": ""})
    (root / "test_calc.py").write_bytes(b"# \xe9\n")
    found = site("calc.py", "python")
    assert (found.exists, found.existing) == (True, None)


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
def test_module_name(path: str, module: str, files: Files, site: Find) -> None:
    files({path: ""})
    assert site(path, "python").module == module


@pytest.mark.parametrize(
    ("language", "there", "path", "test_file", "module", "framework"),
    [
        ("typescript", needs("vitest"), "src/a.ts", "src/a.test.ts", "./a.ts", "vitest"),
        ("javascript", needs("jest"), "a.js", "a.test.js", "./a.js", "jest"),
        ("javascript", {**needs("mocha"), "test/b.test.js": ""}, "lib/a.js", "test/a.test.js", "../lib/a.js", "mocha"),
        ("javascript", {"package.json": "not JSON"}, "a.js", "a.test.js", "./a.js", "node:test"),
        ("javascript", {"__tests__/b.test.js": ""}, "a.js", "__tests__/a.test.js", "../a.js", "node:test"),
        ("typescript", {"a.spec.ts": ""}, "a.ts", "a.spec.ts", "./a.ts", "node:test"),
        ("go", {"go.mod": ""}, "shop/price.go", "shop/price_test.go", "./price.go", "Go's testing package"),
        ("rust", {"Cargo.toml": ""}, "src/a.rs", "src/a.rs", "./a.rs", "Rust's built-in tests"),
        ("java", {"pom.xml": ""}, f"{MAIN}/a/B.java", f"{TEST}/a/BTest.java", "../../../main/java/a/B.java", "JUnit 5"),
        ("java", {"m/build.gradle": ""}, f"m/{MAIN}/B.java", f"m/{TEST}/BTest.java", UP + "B.java", "JUnit 5"),
        ("csharp", {"Shop.Tests/x.cs": ""}, "Shop/Cart.cs", "Shop.Tests/CartTests.cs", "../Shop/Cart.cs", "xUnit"),
        ("csharp", {}, "Shop/Cart.cs", "tests/CartTests.cs", "../Shop/Cart.cs", "xUnit"),
        ("ruby", {"Gemfile": ""}, "lib/a/b.rb", "spec/a/b_spec.rb", "../../lib/a/b.rb", "RSpec"),
        ("php", {"composer.json": "{}"}, "src/A/B.php", "tests/A/BTest.php", "../../src/A/B.php", "PHPUnit"),
        ("php", {"tests/Unit/X.php": ""}, "src/B.php", "tests/Unit/BTest.php", "../../src/B.php", "PHPUnit"),
        ("cpp", {"tests/x.cpp": ""}, "src/a.cpp", "tests/a_test.cpp", "../src/a.cpp", "GoogleTest"),
        ("shellscript", {}, "bin/a.sh", "test/a.bats", "../bin/a.sh", "bats"),
        ("python", {**UNITTEST}, "a.py", "tests/test_a.py", "a", "unittest"),
        ("python", {**UNITTEST, "tox.ini": "pytest"}, "a.py", "tests/test_a.py", "a", "pytest"),
        ("python", {**UNITTEST, "conftest.py": ""}, "a.py", "tests/test_a.py", "a", "pytest"),
    ],
)  # fmt: skip
def test_framework_and_place(
    language: str,
    there: dict[str, str],
    path: str,
    test_file: str,
    module: str,
    framework: str,
    files: Files,
    site: Find,
    root: Path,
) -> None:
    files({**there, path: ""})
    found = site(path, language)
    assert found.framework.name == framework
    assert found.path == root / test_file
    assert found.module == module


def test_the_nearest_project_counts(files: Files, site: Find, root: Path) -> None:
    files({"package.json": '{"devDependencies": {"jest": "1"}}', "web/package.json": "{}", "web/a.js": "", "b.js": ""})
    found = site("web/a.js", "javascript")
    assert (found.project.root, found.project.folder) == (root, root / "web")
    assert found.framework.name == "node:test"
    assert site("b.js", "javascript").framework.name == "jest"


def test_a_language_without_a_known_framework(root: Path, workspace: Workspace) -> None:
    assert site_of(root / "a.sql", "sql", workspace) is None
