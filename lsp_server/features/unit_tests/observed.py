"""Tests that expect something else than the function returns: they can be made to expect what it returns today.

Such a test still notices when the function changes; it does not say that the function is right, so it is marked, and
people are told what the model had expected.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from lsp_server.features.trial.examples import sides
from lsp_server.features.unit_tests.cases import Case
from lsp_server.features.unit_tests.recorded import assertions
from lsp_server.syntax.python_tree import span
from lsp_server.testing.shell import PythonShell
from lsp_server.text.positions import LineIndex


async def as_observed(case: Case, shell: PythonShell, *, unittest: bool) -> tuple[Case, list[str]] | None:
    """The test with what is seen in a shell in place of what it expects, and sentences on what the model had expected.

    None if nothing of it is otherwise, or what is seen cannot be written down. What is async is run.
    """
    awaited = _awaiting_nothing(case)
    case = awaited or case
    try:
        function = ast.parse(case.source).body[0]
    except (SyntaxError, ValueError, IndexError):
        return None
    begun = await shell.forget()
    if begun is None or begun.error or not isinstance(function, ast.FunctionDef):
        return None
    if awaited:
        await shell.run("import asyncio")
    lines = LineIndex(case.source)
    changes: list[tuple[int, int, str]] = []
    notes = [f"{case.name} is async; what it awaits is run."] if awaited else []
    for statement in function.body:
        start, end = span(lines, statement)
        looked_at = sides(statement)
        code = ast.unparse(looked_at[0] if looked_at else statement)
        seen = await shell.run(code)
        if seen is None or seen.error:
            return None
        if looked_at is None:
            if seen.awaited:
                changes.append((start, end, f"asyncio.run({code})"))
                notes.append(f"{code} is async, and is run.")
            continue
        if seen.nothing:
            seen = replace(seen, forms=(("{}", "None"),))
        if not seen.forms:
            return None
        (form, said), expected = seen.forms[0], ast.unparse(looked_at[1])
        # Its test has no fixture that catches what is printed.
        seen = replace(seen, printed="")
        is_other = form != "{}" or not _same(expected, said)
        if is_other or seen.awaited:
            other = f"{form.replace('{}', code)} was expected to be {expected}, and is {said}."
            notes.append(other if is_other else f"{code} is async, and is run.")
            said_so = assertions(code, seen, unittest=unittest)
            lines_said = "\n".join(said_so).splitlines()
            changes.append((start, end, f"\n{' ' * statement.col_offset}".join(lines_said)))
    source = case.source
    for start, end, text in reversed(changes):
        source = source[:start] + text + source[end:]
    # As `take_apart` has it: two tests that do the same are one.
    body = re.sub(r"#.*|\s", "", source.partition(case.name)[2])
    return (replace(case, source=source, body=body), notes) if notes else None


class _Run(ast.NodeTransformer):
    """Has what is awaited run."""

    def visit_Await(self, node: ast.Await) -> ast.expr:
        """See ``ast.NodeVisitor``."""
        inside: ast.expr = self.visit(node.value)
        return ast.Call(ast.Attribute(ast.Name("asyncio"), "run"), [inside], [])


def _awaiting_nothing(case: Case) -> Case | None:
    """A test that is async as one that is not, for no runner takes it without a plugin; None for another."""
    try:
        function = ast.parse(case.source).body[0]
    except (SyntaxError, ValueError, IndexError):
        return None
    if not isinstance(function, ast.AsyncFunctionDef):
        return None
    plugins = re.compile(r"\b(?:asyncio|anyio)\b")
    function.decorator_list = [one for one in function.decorator_list if not plugins.search(ast.unparse(one))]
    source = re.sub(r"(?m)^async def ", "def ", ast.unparse(_Run().visit(function)), count=1)
    return replace(case, source=f"{source}\n")


def _same(expected: str, value: str) -> bool:
    try:
        return bool(ast.literal_eval(expected) == ast.literal_eval(value))
    except (ValueError, SyntaxError, TypeError):
        return False
