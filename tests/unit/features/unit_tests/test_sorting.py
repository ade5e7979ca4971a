"""What is left of an answer's tests, for one function and for many; what files look like is in tests/features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.types import find_class, find_file
from lsp_server.features.unit_tests import write_class_tests, write_file_tests, write_unit_tests
from lsp_server.inference.backend import ChatRequest
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.testing.reports import TestRun as Run
from lsp_server.text.edits import apply_edits
from tests.support.features import FakeBench, bench, scripted, target_of, tools_of

RUST = "fn add(a: i32, b: i32) -> i32 {\n    <|>a + b\n}\n"


def in_rust(*passed: str) -> FakeBench:
    framework, file = "Rust's built-in tests", "calc.rs"
    return bench(framework=framework, source=file, test_file=file, module="./calc.rs", passed=passed)


class Compiler(FakeBench):
    """A bench that runs nothing as long as a test has ``"3"`` where a number belongs."""

    async def run(self, files: Mapping[Path, str], names: Iterable[str]) -> Run:
        """See ``TestBench.run``."""
        lines = files[self.site.path].splitlines()
        faulty = frozenset(number for number, line in enumerate(lines, 1) if '"3"' in line)
        return Run(failed={"": "mismatched types"}, faulty_lines=faulty) if faulty else await super().run(files, names)


async def test_what_is_not_exported_cannot_be_tested() -> None:
    where = bench(framework="jest", source="calc.js", test_file="calc.test.js", module="./calc.js")
    target = target_of("function add(a, b) {\n  <|>return a + b;\n}\n", "javascript")
    with pytest.raises(RefusedError, match="add is not exported"):
        await write_unit_tests(target, tools_of(bench=where))


async def test_tests_that_do_not_compile_are_dropped_and_the_others_run_without_them() -> None:
    where = Compiler(**vars(in_rust("add_small", "add_other")))
    answer = (
        "small() {\n        assert_eq!(add(1, 2), 3);\n    }\n\n"
        '    #[test]\n    fn add_wrong() {\n        assert_eq!(add(1, 2), "3");\n    }\n\n'
        "    #[test]\n    fn add_other() {\n        assert_eq!(add(2, 2), 4);\n    }\n}\n"
    )
    target = target_of(RUST, "rust")
    edit = await write_unit_tests(target, tools_of(answer, "", bench=where))
    assert edit.notes == ("3 written, 2 pass, 1 dropped (1 did not compile).",)
    text = apply_edits(target.snapshot.text, edit.edits)
    assert "add_small" in text
    assert "add_other" in text
    assert "add_wrong" not in text


async def test_what_failed_is_corrected_once() -> None:
    where = bench(passed=("test_add_zero",), failed={"test_add": "assert 3 == 4"})
    first = "():\n    assert add(1, 2) == 4\n"
    second = "_zero():\n    assert add(0, 0) == 0\n\n\ndef test_add():\n    assert add(1, 2) == 4\n"
    backend = scripted(first, second)
    target = target_of("def add(a, b):\n    <|>return a + b\n")
    edit = await write_unit_tests(target, tools_of(backend=backend, bench=where))
    assert edit.notes == ("1 written, 1 passes (1 corrected), 1 dropped (1 failed).",)
    assert "assert add(0, 0) == 0" in apply_edits("", edit.edits)
    request = backend.seen[1]
    assert isinstance(request, ChatRequest)
    assert "These tests fail: test_add: assert 3 == 4." in request.messages[-2].content


async def test_where_nothing_holds_other_words_are_tried_once() -> None:
    where = bench(passed=("test_add_zero",), failed={"test_add": "assert 3 == 4"})
    wrong, right = "():\n    assert add(1, 2) == 4\n", "_zero():\n    assert add(0, 0) == 0\n"
    backend = scripted(wrong, "", right)
    edit = await write_unit_tests(
        target_of("def add(a, b):\n    <|>return a + b\n"), tools_of(backend=backend, bench=where)
    )
    assert edit.notes == ("1 written, 1 passes.",)
    temperatures = [request.temperature for request in backend.seen if isinstance(request, ChatRequest)]
    assert temperatures[0] == 0
    assert temperatures[2] > 0


async def test_a_test_that_expects_any_failure_is_spared_the_emptied_function() -> None:
    where = in_rust("add_panics", "add_idle")
    where.emptied = Run(frozenset({"add_panics", "add_idle"}))
    answer = (
        "idle() {\n        assert!(true || add(1, 2) == 3);\n    }\n\n"
        "    #[test]\n    #[should_panic]\n    fn add_panics() {\n        add(i32::MAX, 1);\n    }\n}\n"
    )
    edit = await write_unit_tests(target_of(RUST, "rust"), tools_of(answer, bench=where))
    assert edit.notes == ("2 written, 1 passes, 1 dropped (1 passing without the function).",)
    assert where.without


TWO = (
    "def add(a, b):\n    return a + b\n\n\nclass Cart:\n    def total(self):\n        return 3\n\n"
    "    def _hidden(self):\n        return 4\n"
)


async def test_a_file_gets_tests_for_what_others_use() -> None:
    where = bench(passed=("test_add", "test_total"))
    tools = tools_of("():\n    assert add(1, 2) == 3\n", "():\n    assert Cart().total() == 3\n", bench=where)
    edit = await write_file_tests(find_file(Snapshot.open(TWO, "python"), 0, PurePosixPath("calc.py")), tools)
    assert edit.title == "Add 2 tests for calc.py"
    assert edit.notes == ("add: 1 written, 1 passes.", "total: 1 written, 1 passes.")
    assert apply_edits("", edit.edits) == (
        "from calc import add, Cart\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\n"
        "def test_total():\n    assert Cart().total() == 3\n"
    )
    assert edit.creates


async def test_a_class_gets_tests_for_its_methods_and_says_what_it_did_not_get() -> None:
    where = bench(passed=("test_total",))
    snapshot = Snapshot.open(TWO.replace("_hidden", "rest"), "python")
    tools = tools_of("():\n    assert Cart().total() == 3\n", "nothing", bench=where)
    edit = await write_class_tests(find_class(snapshot, TWO.index("return 3"), PurePosixPath("calc.py")), tools)
    assert edit.title == "Add 1 test for Cart"
    assert edit.notes == ("1 written, 1 passes.", "rest: No usable test came out for rest.")


async def test_a_file_without_functions() -> None:
    target = find_file(Snapshot.open("def _a():\n    pass\n", "python"), 0, PurePosixPath("calc.py"))
    with pytest.raises(RefusedError, match=r"no function in calc\.py that others use"):
        await write_file_tests(target, tools_of(bench=bench()))
