"""Unit tests for a function: generated, taken apart, run one by one, and only those that pass are offered."""

from __future__ import annotations

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
from lsp_server.text.edits import TextEdit

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
        RefusedError: the language is not supported yet, or no generated test holds.
    """
    if target.language.id != "python" or tools.bench is None:
        raise RefusedError("Unit tests are written for Python so far.")
    bench, name = tools.bench, target.scope.name
    tests, timings = await _generate(target, bench.site, tools)
    if not tests:
        raise RefusedError(f"No usable test came out for {name}.", hint="Try again, or a larger model.")
    tools.report(f"Running {len(tests)} tests", timings.predicted_tokens)
    run = await bench.run(_file_text(tests, target, bench.site.module))
    kept = tests if run.trouble else [t for t in tests if t.name in run.passed]
    if not kept:
        reason = next(iter(run.failed.values()), "they could not be collected")
        raise RefusedError(f"None of the {len(tests)} tests for {name} passed, so none is offered ({reason}).")
    edits, creates = _edits(kept, target, bench.site)
    title = f"Add {len(kept)} test{'s' if len(kept) > 1 else ''} for {name}"
    return FileEdit(title, edits, bench.site.path, creates, _notes(tests, kept, run), timings)


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
    return _take_apart(strip_answer(guide.answer), scope.name, taken), guide.timings


def _shown_code(target: Target) -> str:
    """The function; for a method its class, without which it makes no sense."""
    around = enclosing_class(target.snapshot, target.scope.start)
    if target.scope.class_name and around and around.end - around.start <= _CLASS_CHARS:
        return target.snapshot.text[around.start : around.end].rstrip("\n")
    return target.code.rstrip("\n")


def _imported_name(target: Target) -> str:
    return target.scope.class_name.split(".")[0] if target.scope.class_name else target.scope.name


def _take_apart(source: str, subject: str, taken: set[str]) -> list[_Test]:
    """The test functions of an answer that are whole, use the subject, and say something new."""
    snapshot = Snapshot.open(source, "python")
    tests: list[_Test] = []
    bodies: set[str] = set()
    for scope in functions(snapshot):
        if scope.indentation or not scope.name.startswith("test_"):
            continue
        text = source[scope.start : scope.end].rstrip() + "\n"
        # Two tests that differ in comments and names of their own only are one.
        body = re.sub(r"#.*|\s", "", source[scope.body_start : scope.end])
        whole = _compiles(text) and ("assert" in body or "raises(" in body)
        uses_subject = re.search(rf"\b{re.escape(subject)}\b", source[scope.body_start : scope.end])
        if whole and uses_subject and body not in bodies:
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
            own = source.split(".")[0] == module.split(".")[0]
            (lines if own else standard).append(f"from {source} import {', '.join(names)}")
        elif not imported.names and "." not in source and source in used:
            standard.append(f"import {source}")
    third = ["import pytest"] if "pytest" in used else []
    groups = [g for g in (sorted(set(standard)), third, sorted(set(lines))) if g]
    return [line for i, group in enumerate(groups) for line in ([""] if i else []) + group]


def _edits(tests: list[_Test], target: Target, site: TestSite) -> tuple[tuple[TextEdit, ...], bool]:
    """The edits of the test file, and whether they create it."""
    if site.existing is None:
        return (TextEdit(0, 0, _file_text(tests, target, site.module)),), True
    text = site.existing
    present = set(text.splitlines())
    missing = [line for line in _imports(tests, target, site.module) if line and line not in present]
    gap = "\n\n" if text.endswith("\n") else "\n\n\n"
    added = TextEdit(len(text), len(text), gap + "\n\n".join(t.source for t in tests))
    if not missing:
        return (added,), False
    at = _after_imports(text)
    return (TextEdit(at, at, "\n".join(missing) + "\n"), added), False


def _after_imports(text: str) -> int:
    """Offset of the line after the last import at the top level; the start if there is none."""
    found = list(re.finditer(r"^(?:import|from)\s[^\n(]*(?:\([^)]*\))?[^\n]*(?:\n|\Z)", text, re.MULTILINE))
    return found[-1].end() if found else 0


def _notes(tests: list[_Test], kept: list[_Test], run: TestRun) -> tuple[str, ...]:
    if run.trouble:
        return (f"The tests have not been run: {run.trouble}",)
    dropped = len(tests) - len(kept)
    passed = f"{len(kept)} ran and passed" if len(kept) > 1 else "It ran and passed"
    return (
        f"{passed}; {dropped} that failed {'is' if dropped == 1 else 'are'} left out." if dropped else f"{passed}.",
    )
