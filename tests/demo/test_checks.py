"""The demo's checks: good code passes, and each kind of bad code does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.demo.checks import CheckFailedError, check_documented, check_parses, check_value, run_python
from tools.demo.parts import HOLES, Hole

_PROJECT = Path(__file__).resolve().parents[2] / "examples" / "shop"
_BARE = "def area(width, height):\n    return width * height\n"
_DOCUMENTED = '''def area(width, height):
    """The area.

    Args:
        width: One side.
        height: The other.
    """
    return width * height
'''


@pytest.mark.parametrize("hole", [h for h in HOLES if h.expression], ids=lambda hole: hole.title)
async def test_the_example_as_it_stands_is_what_the_demo_expects(hole: Hole) -> None:
    await check_value(_PROJECT, hole.expression, hole.expected)


async def test_the_examples_own_tests_pass() -> None:
    status, output = await run_python(_PROJECT, "-m", "pytest", "-q")
    assert status == 0, output


async def test_another_value_and_an_exception_are_told(tmp_path: Path) -> None:
    shutil.copytree(_PROJECT, tmp_path / "shop")
    root = tmp_path / "shop"
    pricing = root / "shop" / "pricing.py"
    good = pricing.read_text(encoding="utf-8")
    pricing.write_text(good.replace("line.quantity * line.product", "line.product"), encoding="utf-8")
    with pytest.raises(CheckFailedError, match="should give 5600, and gave: 4750"):
        await check_value(root, "subtotal(order)", 56_00)
    pricing.write_text(good.replace("in order.lines)", "in order.positions)"), encoding="utf-8")
    with pytest.raises(CheckFailedError, match="AttributeError"):
        await check_value(root, "subtotal(order)", 56_00)


def test_a_syntax_error_is_told() -> None:
    check_parses("f(1)\n", "python")
    with pytest.raises(CheckFailedError):
        check_parses("f(1\n", "python")


def test_a_docstring_must_name_every_parameter_and_change_nothing_else() -> None:
    check_documented(_BARE, _DOCUMENTED, "area")
    with pytest.raises(CheckFailedError, match="height"):
        check_documented(_BARE, _DOCUMENTED.replace("        height: The other.\n", ""), "area")
    with pytest.raises(CheckFailedError, match="more than the docstring"):
        check_documented(_BARE, _DOCUMENTED.replace("width * height", "width + height"), "area")
