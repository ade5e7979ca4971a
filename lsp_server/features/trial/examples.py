"""Calls of a function that somebody has written down already: in its documentation, or in tests that came out wrong."""

from __future__ import annotations

import ast
import doctest
import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from lsp_server.features.trial.usages import python_files, walked
from lsp_server.syntax.python_tree import called_name
from lsp_server.testing.project import Project

# What an assertion of unittest with one argument expects of it.
_SINGLE = {"assertTrue": True, "assertFalse": False, "assertIsNone": None}
_PAGES = (".md", ".rst", ".txt")
_MOST_PAGES, _MOST_SESSIONS, _MOST_PIECES = 40, 60, 30
# A block of Python in Markdown, or in reStructuredText.
_BLOCK = re.compile(r"(?ms)^(?:```py(?:thon)?\n(.*?)(?=^```|\Z)|\.\. code(?:-block)?:: python\n(.*?)(?=^\S|\Z))")


def documented(code: str) -> list[list[str]]:
    """The examples of each docstring in some code that have the form of a shell's session, piece by piece."""
    try:
        nodes = [*ast.walk(ast.parse(code))]
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        docstrings = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds)]
        sessions = [doctest.DocTestParser().get_examples(docstring) for docstring in docstrings]
    except (SyntaxError, ValueError):
        return []
    return [[piece for example in session for piece in _statements(example.source)] for session in sessions]


def of_the_project(project: Project, words: Sequence[str]) -> list[list[str]]:
    """The examples in the documentation of a project: its docstrings, its README and what is in ``docs``.

    Those that have more of the words come first.
    """
    found: list[list[str]] = []
    for path in python_files(project.folder):
        text = project.workspace.read(path) or ""
        found += documented(text) if ">>>" in text else []
    pages = (page for path in _pages(project.folder) if (page := project.workspace.read(path)))
    found += [pieces for page in islice(pages, _MOST_PAGES) for pieces in shown_in(page)]
    found.sort(key=lambda pieces: -sum(word in " ".join(pieces) for word in words))
    return [pieces[:_MOST_PIECES] for pieces in found if pieces][:_MOST_SESSIONS]


def _pages(folder: Path) -> Iterator[Path]:
    """The pages that a project is documented on."""
    yield from sorted(folder.glob("README*"))
    yield from (path for path in walked(folder / "docs", ("node_modules",)) if path.name.endswith(_PAGES))


def shown_in(page: str) -> list[list[str]]:
    """The examples on a page of Markdown or reStructuredText: its shell session, and its blocks of Python."""
    page = page.replace("\r\n", "\n")
    found = (markdown or other for markdown, other in _BLOCK.findall(page))
    blocks = [textwrap.dedent(block) for block in found if ">>>" not in block]
    try:
        session = [piece for one in doctest.DocTestParser().get_examples(page) for piece in _statements(one.source)]
    except ValueError:
        session = []
    # A block may go on where the one before it ended.
    return [session, [piece for block in blocks for piece in _statements(block)]]


def _statements(code: str) -> list[str]:
    """Each statement of some code, without comments; none of what Python cannot read."""
    try:
        return [ast.unparse(statement) for statement in ast.parse(textwrap.dedent(code)).body]
    except (SyntaxError, ValueError):
        return []


def made(code: str, owner: str, name: str) -> list[list[str]]:
    """How the documentation of some code makes objects of a class and fills them, each under a name."""
    return [found for pieces in documented(code) if (found := _made(pieces, owner, name))]


def _made(pieces: list[str], owner: str, name: str) -> list[str]:
    """The pieces up to the first that looks at something, behind one that makes an object of the class."""
    its, taken = "", list[str]()
    for piece in pieces:
        statement = ast.parse(piece).body[0]
        if its and isinstance(statement, ast.Expr):
            break
        taken.append(piece)
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            target = statement.targets[0]
            if isinstance(target, ast.Name) and called_name(statement.value.func) == owner:
                its = target.id
    return [*taken, f"{name} = {its}"] if its not in ("", name) else taken if its else []


def written(answer: str) -> list[list[str]]:
    """For each test of an answer, whole or not: what it does, piece by piece, and what its assertions look at."""
    lines = answer.splitlines()
    while lines:
        try:
            tree = ast.parse("\n".join(lines))
        except (SyntaxError, ValueError):
            lines.pop()
        else:
            tests = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
            found = ([piece for one in test.body for piece in _pieces(one)] for test in tests)
            return [pieces for pieces in found if pieces]
    return []


def sides(statement: ast.stmt) -> tuple[ast.expr, ast.expr] | None:
    """What a plain expectation looks at, and what that should be."""
    if isinstance(statement, ast.Assert):
        return _sides_of(statement.test)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    name, arguments = call.func.attr, call.args
    if name in ("assertEqual", "assertIs") and len(arguments) > 1:
        return arguments[0], arguments[1]
    if name in _SINGLE and arguments:
        return arguments[0], ast.Constant(_SINGLE[name])
    return None


def _sides_of(test: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Call):
        return test.operand, ast.Constant(False)
    if isinstance(test, ast.Call):
        return test, ast.Constant(True)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.Is)):
        return None if isinstance(test.left, ast.Constant) else (test.left, test.comparators[0])
    return None


def _pieces(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.With):
        for inside in statement.body:
            yield from _pieces(inside)
    elif looked_at := sides(statement):
        yield from (ast.unparse(one) for one in _looked_at(looked_at[0]))
    elif isinstance(statement, ast.Assert):
        yield from (ast.unparse(one) for one in _looked_at(statement.test))
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return  # Documentation is no example.
    elif isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr, ast.FunctionDef, ast.ClassDef, ast.Import)):
        yield ast.unparse(statement)


def _looked_at(test: ast.expr) -> Iterator[ast.expr]:
    """What an assertion looks at: of questions that only say yes or no what they are about."""
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "isinstance" and test.args:
        yield test.args[0]
    elif isinstance(test, ast.BoolOp):
        for value in test.values:
            yield from _looked_at(value)
    elif isinstance(test, ast.Compare):
        yield from (side for side in (test.left, *test.comparators) if not isinstance(side, ast.Constant))
    else:
        yield test
