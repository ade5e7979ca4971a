"""Unit tests for a function: generated, taken apart, run, and only those that hold and say something are offered.

A test that fails, that does not always pass, or that passes when the function does nothing at all, is dropped.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from lsp_server.context.test_sites import TestSite
from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.postprocess.code import strip_answer
from lsp_server.features.types import FileEdit, Target, TestRun, Tools
from lsp_server.inference.backend import Timings
from lsp_server.syntax.imports import imports
from lsp_server.syntax.outline import outline
from lsp_server.syntax.scopes import enclosing_class, functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, detect_newline
from lsp_server.text.positions import LineIndex

_COUNT = 5
_MAX_TOKENS = 480
# A class is shown whole to the model if it is no longer than this many characters.
_CLASS_CHARS = 3000


@dataclass(frozen=True, slots=True)
class _Test:
    name: str
    source: str


async def write_unit_tests(target: Target, tools: Tools) -> FileEdit:
    """Write tests for a function into its test file, new or existing.

    Raises:
        RefusedError: the language is not supported yet, there is no place for tests, or no generated test holds.
    """
    if target.language.id != "python":
        raise RefusedError("Unit tests are written for Python so far.")
    if tools.bench is None:
        raise RefusedError("Tests belong beside a file.", hint="Save this document first.")
    bench, name = tools.bench, target.scope.name
    if bench.site.exists and bench.site.existing is None:
        raise RefusedError(f"{bench.site.path} cannot be read as UTF-8, so it cannot be extended.")
    tests, timings = await _generate(target, bench.site, tools)
    if not tests:
        raise RefusedError(f"No usable test came out for {name}.", hint="Try again, or a larger model.")
    tools.report(f"Running {len(tests)} tests", timings.predicted_tokens)
    run = await bench.run(_file_text(tests, target, bench.site.module))
    kept = tests if run.trouble else [t for t in tests if t.name in run.passed]
    if not kept:
        reason = next(iter(run.failed.values()), "they could not be collected")
        raise RefusedError(f"None of the {len(tests)} tests for {name} passed, so none is offered ({reason}).")
    dropped = {"failed": len(tests) - len(kept)}
    if not run.trouble:
        tools.report("Running them once more, and without the function", timings.predicted_tokens)
        source = _file_text(kept, target, bench.site.module)
        steady = await bench.run(source)
        empty = await bench.run(_without_the_function(target, bench.site.module) + source)
        dropped["does not always pass"] = sum(t.name not in steady.passed for t in kept)
        dropped["passes without the function"] = sum(t.name in steady.passed & empty.passed for t in kept)
        kept = [t for t in kept if t.name in steady.passed and t.name not in empty.passed]
    if not kept:
        raise RefusedError(
            f"None of the {len(tests)} tests for {name} says anything, so none is offered ({_why(dropped)})."
        )
    edits, creates = _edits(kept, target, bench.site)
    title = f"Add {len(kept)} test{'s' if len(kept) > 1 else ''} for {name}"
    before = bench.site.existing or ""
    return FileEdit(title, edits, bench.site.path, creates, before, (_note(tests, kept, run, dropped),), timings)


async def _generate(target: Target, site: TestSite, tools: Tools) -> tuple[list[_Test], Timings]:
    scope = target.scope
    messages = tools.prompts.render(
        "unit_tests",
        target.language.id,
        language=target.language.name,
        fence=target.fence,
        framework="pytest",
        name=scope.name,
        count=_COUNT,
        code=_shown_code(target),
        related=target.related_text,
    )
    guide = Guide(tools, messages, phase=f"Writing tests for {scope.name}")
    subject = _imported_name(target)
    guide.write(
        f"```python\nimport pytest\n\nfrom {site.module} import {subject}\n\n\ndef test_{scope.name.strip('_')}"
    )
    # A small model goes on with tests that repeat each other; the head of one too many says that there are enough.
    await guide.fill(stop=("```",), max_tokens=_MAX_TOKENS, enough=lambda text: text.count("\ndef ") >= _COUNT)
    taken = {f.name for f in functions(Snapshot.open(site.existing, "python"))} if site.existing else set()
    # A constructor or an operator is tested through its class.
    named = subject if scope.name.startswith("__") else scope.name
    return _take_apart(strip_answer(guide.answer), named, taken, whole=guide.complete), guide.timings


def _shown_code(target: Target) -> str:
    """The function; for a method its class, without which it makes no sense."""
    around = enclosing_class(target.snapshot, target.scope.start)
    if target.scope.class_name and around and around.end - around.start <= _CLASS_CHARS:
        return target.snapshot.text[around.start : around.end].rstrip("\n")
    return target.code.rstrip("\n")


def _imported_name(target: Target) -> str:
    return target.scope.class_name.split(".")[0] if target.scope.class_name else target.scope.name


def _take_apart(source: str, subject: str, taken: set[str], *, whole: bool) -> list[_Test]:
    """The test functions of an answer that are whole, use the subject, and say something new.

    Args:
        whole: the answer came to its end; else the function that it broke off in is no test, even if it reads like one.
    """
    snapshot = Snapshot.open(source, "python")
    tests: list[_Test] = []
    bodies: set[str] = set()
    for scope in functions(snapshot):
        broken_off = not whole and not source[scope.end :].strip()
        if scope.indentation or not scope.name.startswith("test_") or broken_off:
            continue
        text = source[scope.start : scope.end].rstrip() + "\n"
        # Two tests that differ in comments and names of their own only are one.
        body = re.sub(r"#.*|\s", "", source[scope.body_start : scope.end])
        sound = _compiles(text) and ("assert" in body or "raises(" in body)
        uses_subject = re.search(rf"\b{re.escape(subject)}\b", source[scope.body_start : scope.end])
        if sound and uses_subject and body not in bodies:
            bodies.add(body)
            unique = _unique(scope.name, taken)
            tests.append(_Test(unique, text.replace(f"def {scope.name}(", f"def {unique}(", 1)))
    return tests


def _compiles(source: str) -> bool:
    """Whether Python itself takes it: it sees more than a grammar does, such as an argument given twice."""
    try:
        compile(source, "<test>", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    taken.add(candidate)
    return candidate


def _file_text(tests: list[_Test], target: Target, module: str) -> str:
    """A whole test file."""
    return "\n".join(_imports(tests, target, module)) + "\n\n\n" + "\n\n".join(t.source for t in tests)


def _imports(tests: list[_Test], target: Target, module: str) -> list[str]:
    """Import lines for what the tests use: pytest, the tested module's names, and what that module imports itself."""
    used = set(re.findall(r"\b[A-Za-z_]\w*\b", "\n".join(t.source for t in tests)))
    subject = _imported_name(target)
    local = {s.name for s in outline(target.snapshot) if not s.container} & used | {subject}
    lines = [f"from {module} import {', '.join(sorted(local))}"]
    package = module.split(".")[:-1]
    standard: list[str] = []
    for imported in imports(target.snapshot):
        if imported.level:
            source = ".".join([*package[: len(package) - imported.level + 1], *filter(None, [imported.module])])
        else:
            source = imported.module
        names = sorted(set(imported.names) & used - local)
        if names:
            own = imported.level or source.split(".")[0] == module.split(".")[0]
            (lines if own else standard).append(f"from {source} import {', '.join(names)}")
        elif not imported.names and "." not in source and source in used:
            standard.append(f"import {source}")
    third = ["import pytest"] if "pytest" in used else []
    groups = [_import_order(group) for group in (standard, third, lines) if group]
    return [line for i, group in enumerate(groups) for line in ([""] if i else []) + group]


def _import_order(lines: list[str]) -> list[str]:
    """As isort has it: ``import`` before ``from``."""
    return sorted(set(lines), key=lambda line: (line.startswith("from"), line))


def _edits(tests: list[_Test], target: Target, site: TestSite) -> tuple[tuple[TextEdit, ...], bool]:
    """The edits of the test file, and whether they create it."""
    if site.existing is None:
        return (TextEdit(0, 0, _file_text(tests, target, site.module)),), True
    text, newline = site.existing, detect_newline(site.existing)
    present = set(text.splitlines())
    missing = [line for line in _imports(tests, target, site.module) if line and line not in present]
    gap = "\n\n" if text.endswith("\n") else "\n\n\n"
    code = gap + "\n\n".join(t.source for t in tests)
    added = TextEdit(len(text), len(text), code.replace("\n", newline))
    if not missing:
        return (added,), False
    at = _after_imports(text)
    start = newline if at and text[at - 1] not in "\r\n" else ""
    return (TextEdit(at, at, start + "".join(f"{line}{newline}" for line in missing)), added), False


def _after_imports(text: str) -> int:
    """Where an import may be added: after the last one, or before the first statement that is no docstring.

    Raises:
        RefusedError: the text is not Python.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError) as error:
        raise RefusedError(f"The existing test file has a syntax error ({error}).", hint="Correct it first.") from error
    lines = LineIndex(text)
    last = next((s for s in reversed(body) if isinstance(s, (ast.Import, ast.ImportFrom))), None)
    if last is not None:
        return lines.line_start(last.end_lineno or last.lineno)
    if body and ast.get_docstring(ast.Module(body, [])) is not None:
        return lines.line_start(body[0].end_lineno or body[0].lineno)
    return lines.line_start(body[0].lineno - 1) if body else len(text)


def _without_the_function(target: Target, module: str) -> str:
    """Code before the tests that has the function do nothing."""
    scope = target.scope
    owner = f"_module.{scope.class_name}" if scope.class_name else "_module"
    return (
        f"import importlib as _importlib\n\n_module = _importlib.import_module({module!r})\n"
        f"setattr({owner}, {scope.name!r}, lambda *_arguments, **_named: None)\n\n"
    )


def _note(tests: list[_Test], kept: list[_Test], run: TestRun, dropped: dict[str, int]) -> str:
    if run.trouble:
        return f"not run, {run.trouble}"
    left_out = len(tests) - len(kept)
    said = f"{len(tests)} written, {len(kept)} {'passes' if len(kept) == 1 else 'pass'}"
    return f"{said}, {left_out} dropped ({_why(dropped)})." if left_out else f"{said}."


def _why(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
