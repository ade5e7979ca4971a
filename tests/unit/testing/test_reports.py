from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server.testing.reports import (
    collected,
    read_cargo,
    read_go,
    read_jest,
    read_junit,
    read_mocha,
    read_pytest,
    read_tap,
    read_unittest,
)


def test_pytest() -> None:
    output = """
..F.E                                                                    [100%]
=========================== short test summary info ============================
PASSED ../../tmp/x/test_calc_new.py::test_a
PASSED ../../tmp/x/test_calc_new.py::TestA::test_method
PASSED C:\\tmp\\test_calc_new.py::test_b[1-x::y]
FAILED ../../tmp/x/test_calc_new.py::test_b[2-z] - assert 1 == 2
FAILED ../../tmp/x/test_calc_new.py::test_c
ERROR ../../tmp/x/test_calc_new.py::test_d - fixture 'x' not found
SKIPPED [1] test_calc_new.py:3: why
"""
    run = read_pytest(output)
    assert run.passed == {"test_a", "test_method"}
    assert run.failed == {"test_b": "assert 1 == 2", "test_c": "failed", "test_d": "fixture 'x' not found"}


def test_pytest_that_takes_a_file_for_another() -> None:
    output = """
_____________________ ERROR collecting tests/test_utils.py _____________________
import file mismatch:
imported module 'test_utils' has this __file__ attribute:
=========================== short test summary info ============================
ERROR tests/test_utils.py
"""
    assert read_pytest(output).failed == {"": "import file mismatch"}


def test_unittest() -> None:
    output = """test_a (test_calc.TestAdd.test_a) ... ok
test_b (test_calc.TestAdd.test_b)
What it is for. ... ok
test_c (test_calc.TestAdd.test_c) ... FAIL
test_d (test_calc.TestAdd.test_d) ... ERROR

======================================================================
ERROR: test_d (test_calc.TestAdd.test_d)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/tmp/test_calc.py", line 15, in test_d
    add()
TypeError: add() missing 2 required positional arguments

======================================================================
FAIL: test_c (test_calc.TestAdd.test_c)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/tmp/test_calc.py", line 12, in test_c
    self.assertEqual(add(1, 2), 4)
AssertionError: 3 != 4

----------------------------------------------------------------------
Ran 4 tests in 0.001s

FAILED (failures=1, errors=1)
"""
    run = read_unittest(output)
    assert run.passed == {"test_a", "test_b"}
    assert run.failed == {
        "test_c": "AssertionError: 3 != 4",
        "test_d": "TypeError: add() missing 2 required positional arguments",
    }


def test_tap() -> None:
    output = """TAP version 13
# Subtest: add
    # Subtest: adds
    ok 1 - adds
      ---
      duration_ms: 0.5
      ...
    # Subtest: wrong \\# sum
    not ok 2 - wrong \\# sum
      ---
      duration_ms: 1
      failureType: 'testCodeFailure'
      error: |-
        Expected values to be strictly equal:

        3 !== 4

      code: 'ERR_ASSERTION'
      stack: |-
        TestContext.<anonymous> (file:///tmp/a.test.js:8:10)
      ...
    not ok 3 - throws
      ---
      error: 'b is not defined'
      ...
    1..3
not ok 1 - add
  ---
  duration_ms: 3
  type: 'suite'
  error: '2 subtests failed'
  ...
1..1
"""
    run = read_tap(output)
    assert run.passed == {"adds"}
    assert run.failed == {
        "wrong # sum": "Expected values to be strictly equal: 3 !== 4",
        "throws": "b is not defined",
    }


def test_jest_and_vitest(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    message = (
        "Error: \x1b[2mexpect(\x1b[22mreceived)\n\nExpected: 4\nReceived: 3\n    at Object.<anonymous> (/a.js:9:3)"
    )
    tests = [
        {"title": "adds", "status": "passed"},
        {"title": "wrong", "status": "failed", "failureMessages": [message]},
    ]
    report.write_text(json.dumps({"testResults": [{"assertionResults": tests}]}), encoding="utf-8")
    run = read_jest(report, "")
    assert run.passed == {"adds"}
    assert run.failed == {"wrong": "Error: expect(received) Expected: 4 Received: 3"}


def test_a_file_that_jest_cannot_load(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    broken = {"message": "Test suite failed to run\n\n    ReferenceError: a is not defined", "assertionResults": []}
    report.write_text(json.dumps({"testResults": [broken]}), encoding="utf-8")
    assert read_jest(report, "").failed == {"": "ReferenceError: a is not defined"}


def test_no_report_leaves_the_output(tmp_path: Path) -> None:
    assert read_jest(tmp_path / "none.json", "Error: no config\n").failed == {"": "Error: no config"}
    (tmp_path / "half.json").write_text("{", encoding="utf-8")
    assert read_mocha(tmp_path / "half.json", "").failed == {"": "no test was run"}


def test_mocha(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    data = {"passes": [{"title": "adds"}], "failures": [{"title": "wrong", "err": {"message": "3 == 4"}}]}
    report.write_text(json.dumps(data), encoding="utf-8")
    run = read_mocha(report, "")
    assert (run.passed, run.failed) == ({"adds"}, {"wrong": "3 == 4"})


def test_go() -> None:
    events = [
        {"Action": "run", "Test": "TestA"},
        {"Action": "output", "Test": "TestA", "Output": "=== RUN   TestA\n"},
        {"Action": "pass", "Test": "TestA"},
        {"Action": "output", "Test": "TestB", "Output": "=== RUN   TestB\n"},
        {"Action": "output", "Test": "TestB", "Output": "    a_test.go:9: Add() = 3, want 4\n"},
        {"Action": "output", "Test": "TestB", "Output": "--- FAIL: TestB (0.00s)\n"},
        {"Action": "fail", "Test": "TestB"},
        {"Action": "output", "Test": "TestC/empty", "Output": "        a_test.go:19: no error\n"},
        {"Action": "fail", "Test": "TestC/empty"},
        {"Action": "fail", "Test": "TestC"},
        {"Action": "fail"},
    ]
    run = read_go("\n".join(json.dumps(event) for event in events), "a_test.go")
    assert run.passed == {"TestA"}
    assert run.failed == {"TestB": "Add() = 3, want 4", "TestC": "no error"}


@pytest.mark.parametrize("as_event", [False, True], ids=["older", "1.24"])
def test_go_that_does_not_compile(as_event: bool) -> None:
    said = "# example.com/a [example.com/a.test]\n./a_test.go:12:9: undefined: b\n./a_test.go:20:2: undefined: c\n"
    lines = [json.dumps({"Action": "build-output", "Output": f"{line}\n"}) for line in said.splitlines()]
    run = read_go("\n".join(lines) if as_event else said, "a_test.go")
    assert run.failed == {"": "./a_test.go:12:9: undefined: b"}
    assert run.faulty_lines == {12, 20}


def test_cargo() -> None:
    output = """
running 3 tests
test tests::adds ... ok
test tests::panics - should panic ... ok
test tests::wrong ... FAILED

failures:

---- tests::wrong stdout ----

thread 'tests::wrong' panicked at src/lib.rs:20:9:
assertion `left == right` failed
  left: 3
 right: 4
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace


failures:
    tests::wrong

test result: FAILED. 2 passed; 1 failed; 0 ignored
"""
    run = read_cargo(output, "src/lib.rs")
    assert run.passed == {"adds", "panics"}
    assert run.failed == {"wrong": "assertion `left == right` failed left: 3 right: 4"}


def test_cargo_that_does_not_compile() -> None:
    output = """warning: unused variable: `x`
 --> src/lib.rs:3:9
  |
error[E0308]: mismatched types
  --> src/lib.rs:32:36
   |
"""
    run = read_cargo(output, "src/lib.rs")
    assert run.failed == {"": "error[E0308]: mismatched types"}
    assert run.faulty_lines == {32}


def test_junit_files(tmp_path: Path) -> None:
    (tmp_path / "TEST-shop.PricesTest.xml").write_text(
        """<testsuite name="shop.PricesTest"><testcase name="adds" classname="shop.PricesTest"/>
<testcase name="wrong()"><failure message="expected: &lt;4&gt; but was: &lt;3&gt;">a trace</failure></testcase>
<testcase name="throws"><error type="java.lang.Error">java.lang.Error: b
	at shop.PricesTest.throws(PricesTest.java:20)</error></testcase>
<testcase name="each(int)[1]"/><testcase name="each(int)[2]"><failure/></testcase></testsuite>""",
        encoding="utf-8",
    )
    (tmp_path / "TEST-broken.xml").write_text("<testsuite", encoding="utf-8")
    run = read_junit(tmp_path, "", "PricesTest.java")
    assert run.passed == {"adds"}
    assert run.failed == {"wrong": "expected: <4> but was: <3>", "throws": "java.lang.Error: b", "each": "failed"}


def test_java_that_does_not_compile(tmp_path: Path) -> None:
    output = "[INFO] Compiling\n[ERROR] /tmp/x/src/test/java/shop/PricesTest.java:[12,9] cannot find symbol\n"
    run = read_junit(tmp_path, output, "PricesTest.java")
    assert run.faulty_lines == {12}
    assert run.failed[""].endswith("cannot find symbol")


@pytest.mark.parametrize(
    "output",
    [
        "[ERROR] Cannot access central (https://x) in offline mode and the artifact a:b:jar:1 has not been downloaded",
        "No cached version of a:b:1 available for offline mode.",
        "a.go:3:2: cannot find module: module lookup disabled by GOPROXY=off",
        "error: no matching package named `serde` found",
    ],
)
def test_what_was_never_fetched_is_no_failure_of_the_tests(output: str) -> None:
    run = collected(iter(()), output)
    assert not run.failed
    assert "has not been fetched" in run.trouble


def test_a_test_that_is_there_twice_has_to_pass_twice() -> None:
    run = collected(iter([("a", None), ("a", "once"), ("b", None), ("a", "twice")]), "")
    assert (run.passed, run.failed) == ({"b"}, {"a": "once"})
