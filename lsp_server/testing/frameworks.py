"""The test frameworks, as one table.

To add one: a row here; a ``tests.scm`` for its language if there is none yet (``syntax/queries/README.md``); the lines
that its test files begin with (``features/unit_tests/heads.py``); and, if its tests are to be run, a `Runner`.

In the forms of a row ``<name>`` stands for the tested function, ``<snake>`` and ``<Camel>`` for the same in these
spellings, ``<Owner>`` for its class or else its file, in camel case, and ``<what>`` for its name with its class.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lsp_server.testing.project import Project
from lsp_server.testing.runners import (
    Interpreter,
    Runner,
    python_interpreter,
    run_with_cargo,
    run_with_go,
    run_with_jest,
    run_with_jvm_build,
    run_with_mocha,
    run_with_node,
    run_with_pytest,
    run_with_unittest,
    run_with_vitest,
)


@dataclass(frozen=True, slots=True)
class Framework:
    """How tests are written, and where.

    Attributes:
        name: for people and prompts.
        languages: ids of the tested code's languages; the tests are in the same.
        test_file: its name; ``<stem>`` and ``<suffix>`` are the tested file's. Empty: they go into that file.
        opening, closing: what is around the tests; both empty if they stand by themselves.
        once: whether a file has that only once, so that further tests go into the one that is there.
        indent: what the tests inside are indented by.
        begin: how a test begins, up to where its own name or purpose is said.
        asserts: finds what makes a test say something.
        expects_error: finds a test that is content with a failure of any kind, which an emptied function has too.
        runner: how they are run; None if they are written without.
        interpreter: what a function is tried out in, piece by piece; None where there is nothing of the kind.
        used: whether a project has it; None for the usual one of its languages.
    """

    name: str
    languages: tuple[str, ...]
    test_file: str
    begin: str
    asserts: str
    opening: str = ""
    closing: str = ""
    once: bool = False
    indent: str = ""
    expects_error: str = ""
    runner: Runner | None = None
    interpreter: Interpreter | None = None
    used: Callable[[Project], bool] | None = None

    def fill(self, form: str, name: str, owner: str | None, stem: str) -> str:
        """A form of this row for a function of a class or file."""
        said = {
            "name": name,
            "snake": snake(name),
            "Camel": camel(name),
            "Owner": camel(owner or stem),
            "what": f"{owner}.{name}" if owner else name,
        }
        return re.sub(r"<(name|snake|Camel|Owner|what)>", lambda match: said[match[1]], form)


def snake(name: str) -> str:
    """``totalPrice`` and ``TotalPrice`` as ``total_price``; underscores around it are dropped."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).strip("_").lower()


def camel(name: str) -> str:
    """``total_price`` and ``total-price`` as ``TotalPrice``."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


_ECMASCRIPT = ("javascript", "javascriptreact", "typescript", "typescriptreact")


def _described(
    name: str, begin: str, asserts: str, runner: Runner, used: Callable[[Project], bool] | None = None
) -> Framework:
    return Framework(
        name,
        _ECMASCRIPT,
        "<stem>.test<suffix>",
        begin=begin,
        asserts=asserts,
        opening="describe('<what>', () => {\n",
        closing="});\n",
        indent="  ",
        runner=runner,
        used=used,
    )


# The usual one of a language comes last.
FRAMEWORKS: tuple[Framework, ...] = (
    Framework(
        "unittest",
        ("python",),
        "test_<stem>.py",
        begin="def test_<snake>",
        asserts=r"\bself\.(assert|fail)|\bassert\b",
        opening="class Test<Camel>(unittest.TestCase):\n",
        indent="    ",
        runner=run_with_unittest,
        interpreter=python_interpreter,
        used=lambda project: project.has_unittest_only(),
    ),
    Framework(
        "pytest",
        ("python",),
        "test_<stem>.py",
        begin="def test_<snake>",
        asserts=r"\bassert\b|raises\(",
        runner=run_with_pytest,
        interpreter=python_interpreter,
    ),
    _described("vitest", "test('", r"\bexpect\(|\bassert\b", run_with_vitest, lambda project: project.needs("vitest")),
    _described("jest", "test('", r"\bexpect\(|\bassert\b", run_with_jest, lambda project: project.needs("jest")),
    _described("mocha", "it('", r"\bexpect\(|\bassert\b", run_with_mocha, lambda project: project.needs("mocha")),
    _described("node:test", "test('", r"\bassert\b", run_with_node),
    Framework(
        "Go's testing package",
        ("go",),
        "<stem>_test.go",
        begin="func Test<Camel>",
        asserts=r"\bt\.(Error|Fatal|Fail)",
        runner=run_with_go,
    ),
    Framework(
        "Rust's built-in tests",
        ("rust",),
        "",
        begin="#[test]\nfn <snake>_",
        asserts=r"\bassert(_eq|_ne)?!|should_panic",
        opening="#[cfg(test)]\nmod tests {\n    use super::*;\n\n",
        closing="}\n",
        once=True,
        indent="    ",
        expects_error=r"should_panic|catch_unwind",
        runner=run_with_cargo,
    ),
    Framework(
        "JUnit 5",
        ("java",),
        "<stem>Test.java",
        begin="@Test\nvoid ",
        asserts=r"\b(assert\w*|fail)\(",
        opening="class <Owner>Test {\n\n",
        closing="}\n",
        once=True,
        indent="    ",
        runner=run_with_jvm_build,
    ),
    Framework(
        "xUnit",
        ("csharp",),
        "<stem>Tests.cs",
        begin="[Fact]\npublic void <Camel>_",
        asserts=r"\bAssert\.",
        opening="public class <Owner>Tests\n{\n",
        closing="}\n",
        once=True,
        indent="    ",
    ),
    Framework(
        "RSpec",
        ("ruby",),
        "<stem>_spec.rb",
        begin="it '",
        asserts=r"\bexpect\b",
        opening="RSpec.describe '<what>' do\n",
        closing="end\n",
        indent="  ",
    ),
    Framework(
        "PHPUnit",
        ("php",),
        "<stem>Test.php",
        begin="public function test<Camel>",
        asserts=r"\$this->(assert|expect)|::assert",
        opening="final class <Owner>Test extends TestCase\n{\n",
        closing="}\n",
        once=True,
        indent="    ",
    ),
    Framework(
        "GoogleTest",
        ("cpp",),
        "<stem>_test<suffix>",
        begin="TEST(<Owner>Test, <Camel>",
        asserts=r"\b(EXPECT|ASSERT)_",
    ),
    Framework(
        "bats",
        ("shellscript",),
        "<stem>.bats",
        begin='@test "<name> ',
        asserts=r"\[|\brun\b|assert",
    ),
)


TESTED_LANGUAGES = frozenset(language for row in FRAMEWORKS for language in row.languages)


def framework_of(project: Project, language_id: str) -> Framework | None:
    """The framework of a project's tests in a language; None if none is known for the language."""
    rows = [row for row in FRAMEWORKS if language_id in row.languages]
    return next((row for row in rows if row.used is None or row.used(project)), None)
