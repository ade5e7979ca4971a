"""Whether an answer is good: it is run, or its syntax is compared. A check that fails says what it saw."""

from __future__ import annotations

import ast
import asyncio
import os
import sys
from pathlib import Path

from lsp_server.syntax.checks import parses
from tools.demo.excerpt import function_node

_TIMEOUT_S = 60

# What an expression is about: two mugs, a lamp, and a shelf with them.
_SETTING = """
from shop.inventory import Inventory
from shop.models import Customer, Order, OrderLine, Product
from shop.pricing import subtotal
from shop.reports import units_sold

mug, lamp = Product("mug", "Mug", 8_50, 350), Product("lamp", "Desk lamp", 39_00, 1400)
order = Order("2026-0042", Customer("Ada", "ada@example.org"), [OrderLine(mug, 2), OrderLine(lamp)])
shelf = Inventory(reorder_level=5)
for sku, quantity in (("mug", 8), ("lamp", 2), ("lamp", 1), ("chair", 4)):
    shelf.receive(sku, quantity)
"""


class CheckFailedError(Exception):
    """An answer is not what it should be; says why."""


async def check_value(root: Path, expression: str, expected: object) -> None:
    """Have Python compute an expression on the project in ``root``. Raises CheckFailedError if it is another value."""
    source = f"{_SETTING}\nvalue = {expression}\nprint(repr(value))\nraise SystemExit(value != {expected!r})\n"
    status, output = await run_python(root, "-c", source)
    if status:
        answer = (output.strip().splitlines() or ["nothing"])[-1]
        raise CheckFailedError(f"{expression} should give {expected!r}, and gave: {answer}")


async def run_python(root: Path, *arguments: str) -> tuple[int, str]:
    """Run Python on the project in ``root``; returns the exit status and what was printed to both streams.

    Raises:
        CheckFailedError: it took too long.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        # Plugins of the environment that the demo runs in have no business in this project.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "-p no:cacheprovider --color=no",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=root,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
    except asyncio.TimeoutError:
        raise CheckFailedError(f"it ran for longer than {_TIMEOUT_S} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode("utf-8", "replace")


def check_parses(text: str, language: str) -> None:
    """Raises CheckFailedError if a file has a syntax error."""
    if not parses(text, language):
        raise CheckFailedError("with this answer the file has a syntax error")


def check_documented(before: str, after: str, name: str) -> None:
    """Raises CheckFailedError if a parameter of a function is not documented, or anything but its docstring changed."""
    node = function_node(after, name)
    docstring = ast.get_docstring(node) or ""
    missing = [a.arg for a in node.args.args if f"{a.arg}:" not in docstring and a.arg != "self"]
    if missing:
        raise CheckFailedError(f"the docstring does not name {', '.join(missing)}")
    if _code_without_docstring(before, name) != _code_without_docstring(after, name):
        raise CheckFailedError("more than the docstring was changed")


def _code_without_docstring(text: str, name: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
