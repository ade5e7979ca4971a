from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.counterparts import counterpart, is_test

Files = Callable[[dict[str, str]], None]

PAIRS = [
    ("calc.py", "test_calc.py"),
    ("pkg/calc.py", "tests/test_calc.py"),
    ("pkg/sub/calc.py", "tests/sub/test_calc.py"),
    ("pkg/sub/calc.py", "tests/unit/sub/test_calc.py"),
    ("src/pkg/calc.py", "tests/pkg/test_calc.py"),
    ("web/cart.ts", "web/cart.test.ts"),
    ("web/cart.tsx", "web/__tests__/cart.test.tsx"),
    ("web/cart.js", "web/cart.spec.js"),
    ("cart/cart.go", "cart/cart_test.go"),
    ("src/main/java/shop/Cart.java", "src/test/java/shop/CartTest.java"),
    ("Shop/Cart.cs", "Shop/CartTests.cs"),
    ("lib/cart.rb", "spec/cart_spec.rb"),
]


@pytest.mark.parametrize(("code", "test"), PAIRS)
def test_code_and_tests_find_each_other(code: str, test: str, files: Files, root: Path) -> None:
    files({code: "", test: "", "pkg/__init__.py": ""})
    assert counterpart(root / code, root, ()) == root / test
    assert is_test(root / test)
    assert not is_test(root / code)


@pytest.mark.parametrize(("code", "test"), [pair for pair in PAIRS if pair[0] != "lib/cart.rb"])
def test_tests_find_their_code(code: str, test: str, files: Files, root: Path) -> None:
    files({code: "", test: "", "pkg/__init__.py": ""})
    assert counterpart(root / test, root, ()) == root / code


def test_who_imports_it_is_asked_first(root: Path) -> None:
    linked = [root / "elsewhere" / "test_calc.py", root / "other.py"]
    assert counterpart(root / "calc.py", root, linked) == linked[0]
    assert counterpart(linked[0], root, [root / "other.py", root / "a" / "calc.py"]) == root / "a" / "calc.py"


def test_there_may_be_none(files: Files, root: Path) -> None:
    files({"calc.py": "", "test_other.py": ""})
    assert counterpart(root / "calc.py", root, ()) is None
    assert counterpart(root / "test_other.py", root, ()) is None


@pytest.mark.parametrize("name", ["contest.py", "latest.ts", "test.py", "Test.java", "attest_er.py"])
def test_names_that_only_look_like_tests(name: str) -> None:
    assert not is_test(Path(name))
