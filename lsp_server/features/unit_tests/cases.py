"""The tests of an answer, one by one, and a test file that has them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lsp_server.errors import RefusedError
from lsp_server.features.types import at_column_0
from lsp_server.features.unit_tests.heads import Head
from lsp_server.features.unit_tests.joining import join_imports
from lsp_server.syntax.checks import has_error, parses
from lsp_server.syntax.languages import Language
from lsp_server.syntax.scopes import ClassScope, scopes
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.test_cases import TestCase, test_cases
from lsp_server.testing.frameworks import Framework
from lsp_server.text.edits import detect_newline


@dataclass(frozen=True, slots=True)
class Form:
    """How the tests of one function are written.

    Attributes:
        subject: the name that each test must use.
        opening, begin: the framework's, filled in.
    """

    framework: Framework
    language: Language
    subject: str
    opening: str
    begin: str

    @property
    def asserts_by_methods(self) -> bool:
        """Whether assertions are methods of the test's class, as unittest has it."""
        return self.framework.name == "unittest"

    @property
    def started(self) -> str:
        """What stands before the first test's own words."""
        return self.opening + textwrap.indent(self.begin, self.framework.indent)

    @property
    def apart(self) -> str:
        """The blank lines between what stands at column 0: two in Python, else one."""
        return "\n\n" if self.language.id == "python" else "\n"

    @property
    def gap(self) -> str:
        """The blank lines between two tests."""
        return "\n" if self.framework.indent else self.apart

    def block(self, cases: Sequence[Case]) -> str:
        """The tests, with what is around them."""
        return self.opening + self.listed(cases, self.framework.indent) + self.framework.closing

    def listed(self, cases: Sequence[Case], indent: str) -> str:
        """The tests alone."""
        return self.gap.join(textwrap.indent(case.source, indent) for case in cases)


@dataclass(frozen=True, slots=True)
class Case:
    """A test.

    Attributes:
        source: at column 0, with one line end at the end.
        body: what it does, without its name, comments and layout: tests with the same one are one.
        imports: what it uses beside what the tested file has.
    """

    name: str
    source: str
    body: str
    imports: tuple[str, ...] = ()


def take_apart(answer: str, form: Form, taken: set[str], known: Iterable[Case] = (), *, whole: bool) -> list[Case]:
    """The tests of an answer that are whole and sound, use the subject, and say something new.

    Args:
        taken: names that are no longer free; those of the tests are added.
        known: tests that need not be said again.
        whole: the answer came to its end; else the test that it broke off in is none, even if it reads like one.
    """
    snapshot = Snapshot.open(answer, form.language.id)
    found: list[Case] = []
    bodies = {case.body for case in known}
    for test in test_cases(snapshot):
        broken_off = not whole and not re.sub(r"[\s});]|\bend\b", "", answer[test.end :])
        indentation = snapshot.lines.indentation(snapshot.lines.line_of(test.start))
        if broken_off or _within_another(test, snapshot) or (indentation and not form.framework.indent):
            continue
        said = _without_comments(answer[test.name_end : test.end], form.language.line_comment)
        body = re.sub(r"\s", "", said)
        telling = re.search(form.framework.asserts, answer[test.start : test.end])
        uses = re.search(rf"(?<![\w'\"]){re.escape(form.subject)}\b", said)
        case = _case(test, snapshot, taken, body)
        if telling and uses and body not in bodies and is_sound(case, form):
            bodies.add(body)
            taken.add(case.name)
            found.append(case)
    return found


def _without_comments(code: str, line_comment: str) -> str:
    return re.sub(rf"(?m)(^|\s){re.escape(line_comment)}.*$", "", code) if line_comment else code


def _within_another(test: TestCase, snapshot: Snapshot) -> bool:
    return any(other.start < test.start and test.end <= other.end for other in test_cases(snapshot))


def _case(test: TestCase, snapshot: Snapshot, taken: set[str], body: str) -> Case:
    titled = snapshot.text[test.name_start - 1] in "'\"`"
    name = unique(test.name, " ({})" if titled else "_{}", taken)
    # We have begun the first one with a blank, and a model may say another.
    before = re.sub(r" {2,}$", " ", snapshot.text[test.start : test.name_start])
    text = before + name + snapshot.text[test.name_end : test.end]
    indentation = snapshot.lines.indentation(snapshot.lines.line_of(test.start))
    return Case(name, at_column_0(indentation + text).rstrip() + "\n", body)


def unique(name: str, ending: str, taken: set[str]) -> str:
    """The name, or with the first number in its ending that is free."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = name + ending.format(number), number + 1
    return candidate


# Whatever is wrong with such a test, a name that is not there say, is what it expects.
_ANY_ERROR = re.compile(r"\b(?:pytest\.raises|self\.assertRaises)\((?:Base)?Exception\b(?![^)\n]*\bmatch=)")


def is_sound(case: Case, form: Form) -> bool:
    """Whether it can be read as code and says what it expects.

    Python itself sees more than a grammar, such as an argument given twice.
    """
    if form.language.id == "shellscript":
        return True  # What bats reads is no Bash.
    if form.language.id == "python":
        try:
            compile(case.source, "<test>", "exec")
        except (SyntaxError, ValueError):
            return False
        return not _ANY_ERROR.search(case.source)
    before = "<?php\n" if form.language.id == "php" else ""
    return parses(before + form.block([case]), form.language.id)


def with_tests(existing: str | None, cases: Sequence[Case], head: Head, form: Form) -> str:
    """A test file's text with some tests more; a new one for None.

    Raises:
        RefusedError: the file has a syntax error, or no place for them.
    """
    if existing is None:
        return f"{head.text}\n{form.apart}{form.block(cases)}".lstrip("\n")
    newline = detect_newline(existing)
    text = existing.replace("\r\n", "\n")
    snapshot = Snapshot.open(text, form.language.id)
    if has_error(snapshot) and form.language.id != "shellscript":
        raise RefusedError("The existing test file has a syntax error.", hint="Correct it first.")
    at, piece = _addition(snapshot, cases, form)
    text = text[:at] + piece + text[at:]
    return join_imports(text, head.statements, form.language.id).replace("\n", newline)


def _addition(snapshot: Snapshot, cases: Sequence[Case], form: Form) -> tuple[int, str]:
    """Where in a file its new tests go, and what goes there."""
    text = snapshot.text
    around = _enclosing(snapshot, form)
    if around is not None:
        start, end = around
        inside = [test for test in test_cases(snapshot) if start <= test.start < end]
        last = max(inside, key=lambda test: test.end, default=None)
        if last is not None:
            indent = snapshot.lines.indentation(snapshot.lines.line_of(last.start))
            return last.end, "\n" + form.gap + form.listed(cases, indent).rstrip("\n")
        # Before the line of what closes it.
        at = text.find("\n", end) + 1 if form.language.id == "rust" else text.rfind("\n", start, end) + 1
        return at, ("" if text[:at].endswith(("{\n", "\n\n")) else "\n") + form.listed(cases, form.framework.indent)
    stripped = len(text.rstrip("\n"))
    before, after = "\n" + form.apart if stripped else "", "" if text[stripped:] else "\n"
    return stripped, before + form.block(cases).rstrip("\n") + after


def _enclosing(snapshot: Snapshot, form: Form) -> tuple[int, int] | None:
    """What is around tests of this form in a file already; None if there is nothing."""
    if not form.opening:
        return None
    if form.language.id == "rust":
        module = re.search(r"^(pub )?mod tests? \{.*?(?=\n\}|\Z)", snapshot.text, re.MULTILINE | re.DOTALL)
        return module.span() if module else None
    if form.framework.once:
        classes = [one for one in scopes(snapshot) if isinstance(one, ClassScope) and one.kind == "class"]
        if not classes:
            raise RefusedError("The existing test file has no class for tests.", hint="Add one first.")
        return classes[-1].start, classes[-1].end
    first_line = form.opening.rstrip("\n")
    start = snapshot.text.find(first_line)
    if start < 0:
        return None
    # Up to the next line that is not indented: what closes it, or in Python what follows.
    rest = re.compile(r"^\S", re.MULTILINE).search(snapshot.text, start + len(first_line) + 1)
    return start, rest.start() if rest else len(snapshot.text)
