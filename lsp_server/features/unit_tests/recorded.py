"""Tests that expect what was seen in a shell: what the function does today, be that right or not."""

from __future__ import annotations

import ast
import pprint
import textwrap
from collections.abc import Sequence

from lsp_server.features.trial import Step, needed
from lsp_server.syntax.python_symbols import import_statements
from lsp_server.testing.shell import Seen

MARK = "  # as it is today"
# Longer values get lines of their own.
_LONG = 80


def body_of(steps: Sequence[Step], at: int, *, unittest: bool) -> str:
    """A test's body, at column 0, that takes a step with what it needs of those before it, and expects what was seen.

    Empty if nothing can be expected. What it imports stands elsewhere: `imports_of`.
    """
    step = steps[at]
    expected = assertions(step.code, step.seen, unittest=unittest)
    before = [_run(steps[i].code, steps[i].seen) for i in needed(steps, at) if not _is_import(steps[i].code)]
    return "\n".join([*before, *expected, ""]) if expected else ""


def imports_of(steps: Sequence[Step], at: int) -> tuple[str, ...]:
    """The imports that a step needs of those before it, each name by itself."""
    before = [steps[i].code for i in needed(steps, at) if _is_import(steps[i].code)]
    return tuple(import_statements("\n".join(before)).values())


def _is_import(code: str) -> bool:
    return all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.parse(code).body)


def assertions(code: str, seen: Seen, *, unittest: bool) -> list[str]:
    """Statements that run a piece of code and hold if what was seen is seen again; none if there is nothing to see."""
    code = _run(code, seen)
    if seen.error:
        raises = f"self.assertRaises({seen.error})" if unittest else f"pytest.raises({seen.error})"
        return [f"with {raises}:{MARK}", textwrap.indent(code, "    ")] if seen.on_purpose else []
    subject = code
    lines: list[str] = []
    if len(seen.forms) > 1 and not code.isidentifier():
        subject = "result"
        lines.append(f"{subject} = {code}")
    elif not seen.forms:
        lines.append(code)
    inside = subject if _stands_alone(subject) else f"({subject})"
    lines += [
        _equal(form.replace("{}", subject if form.endswith("({})") else inside), said, unittest=unittest)
        for form, said in seen.forms
    ]
    lines += [_equal(where, said, unittest=unittest) for where, said in seen.changed]
    if seen.printed and not unittest:
        lines.append(_equal("capsys.readouterr().out", repr(seen.printed), unittest=False))
    return lines if lines != [code] else []


def _run(code: str, seen: Seen) -> str:
    """A piece of code as a test has it, which awaits nothing."""
    return f"asyncio.run({code})" if seen.awaited else code


def _stands_alone(code: str) -> bool:
    """Whether an expression means the same before whatever operator."""
    body = ast.parse(code).body
    value = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    return isinstance(value, (ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.Constant))


def _in_lines(value: object) -> str:
    """A long value as formatters lay it out."""
    if isinstance(value, (list, tuple, dict)) and len(repr(value)) <= _LONG // 2:
        return repr(value)
    if isinstance(value, dict):
        items, around = [f"{key!r}: {_in_lines(one)}" for key, one in value.items()], ("{", "}")
    elif isinstance(value, set):
        # It has no order; what is written down needs one.
        items, around = sorted(map(repr, value)), ("{", "}")
    elif isinstance(value, (list, tuple)):
        items, around = [_in_lines(one) for one in value], ("[", "]") if isinstance(value, list) else ("(", ")")
    else:
        return pprint.pformat(value, width=_LONG)
    inside = textwrap.indent("".join(f"{item},\n" for item in items), "    ")
    return f"{around[0]}\n{inside}{around[1]}"


def _equal(subject: str, said: str, *, unittest: bool) -> str:
    one = said in ("True", "False", "None")
    if len(subject) + len(said) > _LONG:
        said = _in_lines(ast.literal_eval(said))
    if unittest:
        return f"self.{'assertIs' if one else 'assertEqual'}({subject}, {said}){MARK}"
    return f"assert {subject} {'is' if one else '=='} {said}{MARK}"
