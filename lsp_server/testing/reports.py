"""What test runners say → `TestRun`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from lsp_server.text.titles import cut


@dataclass(frozen=True, slots=True)
class TestRun:
    """What came of running tests.

    Attributes:
        passed: names of the tests that passed.
        failed: name → what went wrong, in a line. Under an empty name: why there was no test to run.
        trouble: why they could not be run at all; empty if they were.
        faulty_lines: 1-based lines of the test file that a compiler finds fault with.
    """

    passed: frozenset[str] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    faulty_lines: frozenset[int] = frozenset()


_TELLING = re.compile(r"^\[ERROR\]\s+\S|^error(?!: 'test failed')|\b\w*Error(?: \[\w+\])?:|:\d+:\d+: ")
_LONGEST = 200
# What Maven, Gradle, Go, and Cargo say when they may not fetch.
_UNFETCHED = re.compile(
    r"in offline mode|available for offline|lookup disabled by GOPROXY=off|missing go\.sum entry"
    r"|attempting to make an HTTP|without the offline flag|no matching package named"
)
_NO_TEST = "no test was run"


def collected(outcomes: Iterator[tuple[str, str | None]], output: str, test_file: str = "") -> TestRun:
    """A run from pairs of a test's name and what went wrong with it, None for nothing.

    A test that is there more than once has passed if it has each time. If there is no pair, the output says why.

    Args:
        test_file: for a compiler, the file whose lines its errors name.
    """
    passed: set[str] = set()
    failed: dict[str, str] = {}
    for name, message in outcomes:
        if message is None:
            passed.add(name)
        else:
            failed.setdefault(name, message)
    if passed or failed:
        return TestRun(frozenset(passed - failed.keys()), failed)
    if _UNFETCHED.search(output):
        return TestRun(
            trouble="what the project depends on has not been fetched; running its own tests once does that."
        )
    return TestRun(failed={"": _reason(output)}, faulty_lines=frozenset(_lines_named(output, test_file)))


def _lines_named(output: str, test_file: str) -> Iterator[int]:
    """The lines of a file that errors are reported in: ``x.go:12:3``, ``--> src/x.rs:12:3``, ``X.java:[12,3]``."""
    if not test_file:
        return
    for match in re.finditer(rf"{re.escape(test_file)}:\[?(\d+)", output):
        # Rust warns in the same form; the line above says which it is.
        above = output[: match.start()].rstrip().rsplit("\n", 2)[-2:]
        if not any(line.startswith("warning") for line in above):
            yield int(match[1])


def _reason(output: str) -> str:
    """The line of a failed run's output that says most, or the last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if _TELLING.search(line)), lines[-1] if lines else _NO_TEST)


_PYTEST_LINE = re.compile(
    r"^(?P<outcome>PASSED|FAILED|ERROR) [^\n]*?::(?P<name>\w+(?:\[[^\n]*?\])?)(?: - (?P<message>[^\n]*))?$",
    re.MULTILINE,
)


def read_pytest(output: str) -> TestRun:
    """From pytest's short summary (``-rA``)."""
    outcomes = (
        (match["name"].split("[")[0], None if match["outcome"] == "PASSED" else match["message"] or "failed")
        for match in _PYTEST_LINE.finditer(output)
    )
    run = collected(outcomes, output)
    if "" not in run.failed:
        return run
    # Collection failed: the last error line says why (a module that cannot be imported, say).
    reasons = [line[1:].strip() for line in output.splitlines() if line.startswith("E ")]
    reasons += [line.rstrip(":") for line in output.splitlines() if line.startswith("import file mismatch")]
    return TestRun(failed={"": reasons[-1] if reasons else "pytest found no test"})


_UNITTEST_LINE = re.compile(r"^(?P<name>test\w*) \([\w.]+\)(?:\n[^\n]*?)? \.\.\. (?P<outcome>[^\n]*)$", re.MULTILINE)
_UNITTEST_REASON = re.compile(
    r"^={20,}\n(?:FAIL|ERROR): (?P<name>\w+)[^\n]*\n(?:[^\n]+\n)?-{20,}\n(?P<trace>.*?)(?=^={20,}$|^-{20,}$|\Z)",
    re.MULTILINE | re.DOTALL,
)


def read_unittest(output: str) -> TestRun:
    """From ``python -m unittest --verbose``."""
    reasons = {
        match["name"]: _shortened(next((s for s in reversed(match["trace"].splitlines()) if re.match(r"\w", s)), ""))
        for match in _UNITTEST_REASON.finditer(output)
    }
    outcomes = (
        (match["name"], None if match["outcome"].rstrip().endswith("ok") else reasons.get(match["name"], "failed"))
        for match in _UNITTEST_LINE.finditer(output)
    )
    run = collected(outcomes, output)
    return TestRun(failed={"": next(iter(reasons.values()), _NO_TEST)}) if "" in run.failed else run


_TAP_LINE = re.compile(r"^ *(?P<not>not )?ok \d+(?: -)? (?P<name>[^\n]*?)(?: # [^\n]*)?$", re.MULTILINE)


def read_tap(output: str) -> TestRun:
    """From TAP with YAML notes, as ``node --test`` writes it. Suites are in it too, under their names."""
    return collected(_tap(output), output)


def _tap(output: str) -> Iterator[tuple[str, str | None]]:
    found = list(_TAP_LINE.finditer(output))
    for match, following in zip(found, [*found[1:], None], strict=True):
        notes = output[match.end() : following.start() if following else len(output)]
        # A file that cannot be loaded is reported as a test of the file's name.
        if "type: 'suite'" in notes or re.search(r"\.[cm]?[jt]sx?$", match["name"]):
            continue
        error = re.search(r"^ *error: (?:\|-\n)?(.*?)(?=\n *\w+: |\n *\.\.\.|\Z)", notes, re.MULTILINE | re.DOTALL)
        name = match["name"].replace("\\#", "#").replace("\\\\", "\\")
        yield name, _shortened(error[1].strip("'") if error else "") if match["not"] else None


def read_jest(report: Path, output: str) -> TestRun:
    """From the JSON file of jest, which vitest writes too."""
    data = _json(report)
    outcomes = (
        (
            str(one.get("title")),
            None if one.get("status") == "passed" else _shortened("\n".join(one.get("failureMessages", ()))),
        )
        for file in data.get("testResults", ())
        for one in file.get("assertionResults", ())
    )
    messages = [str(file.get("message", "")) for file in data.get("testResults", ())]
    return collected(outcomes, "\n".join(filter(None, messages)) or output)


def read_mocha(report: Path, output: str) -> TestRun:
    """From the JSON file of mocha."""
    data = _json(report)
    outcomes: list[tuple[str, str | None]] = [(str(one.get("title")), None) for one in data.get("passes", ())]
    outcomes += [
        (str(one.get("title")), _shortened(str(one.get("err", {}).get("message")))) for one in data.get("failures", ())
    ]
    return collected(iter(outcomes), output)


def _json(report: Path) -> dict[str, Any]:
    try:
        data = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _shortened(message: str) -> str:
    """A message in a line, without the calls that led to it."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", message)
    said = re.split(r"^\s*at \S|^stack backtrace|^note: ", plain, maxsplit=1, flags=re.MULTILINE)[0]
    return cut(" ".join(said.split()), _LONGEST) or "failed"


def read_go(output: str, test_file: str) -> TestRun:
    """From ``go test -json``."""
    events = [event for line in output.splitlines() if (event := _event(line))]
    said: dict[str, list[str]] = {}
    for event in events:
        if event.get("Action") in ("output", "build-output"):
            said.setdefault(str(event.get("Test", "")), []).append(str(event.get("Output", "")))
    outcomes = (
        (name, None if event["Action"] == "pass" else _go_reason(name, said))
        for event in events
        if event.get("Action") in ("pass", "fail") and (name := str(event.get("Test", ""))) and "/" not in name
    )
    plain = "".join(line + "\n" for line in output.splitlines() if not line.startswith("{"))
    return collected(outcomes, plain + "".join(said.get("", [])), test_file)


def _event(line: str) -> dict[str, object] | None:
    try:
        event = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _go_reason(name: str, said: Mapping[str, list[str]]) -> str:
    """The first line that a test or one of those within it says."""
    output = [line for other, lines in said.items() if other.split("/")[0] == name for line in lines]
    lines = [line.strip() for line in output if not re.match(r"\s*(===|---)", line)]
    return _shortened(next((re.sub(r"^\w+_test\.go:\d+: ", "", line) for line in lines if line), ""))


_CARGO_REASON = re.compile(r"^---- (\S+) stdout ----\n(.*?)(?=^----|^failures:)", re.MULTILINE | re.DOTALL)
_CARGO_LINE = re.compile(r"^test (?P<name>\S+)(?: - should panic)? \.\.\. (?P<outcome>ok|FAILED)$", re.MULTILINE)


def read_cargo(output: str, test_file: str) -> TestRun:
    """From ``cargo test``."""
    reasons = {match[1]: _panic(match[2]) for match in _CARGO_REASON.finditer(output)}
    outcomes = (
        (match["name"].rsplit("::", 1)[-1], None if match["outcome"] == "ok" else reasons.get(match["name"], "failed"))
        for match in _CARGO_LINE.finditer(output)
    )
    return collected(outcomes, output, test_file)


def _panic(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and "panicked at" not in line]
    return _shortened("\n".join(lines))


def read_junit(folder: Path, output: str, test_file: str) -> TestRun:
    """From the XML files that Surefire and Gradle leave in a folder."""
    return collected(_cases(folder), output, test_file)


def _cases(folder: Path) -> Iterator[tuple[str, str | None]]:
    for path in sorted(folder.glob("TEST-*.xml")):
        try:
            # The file was written a moment ago by the project's own tools, which ran its code.
            root = ElementTree.parse(path).getroot()  # noqa: S314
        except (OSError, ElementTree.ParseError):
            continue
        for case in root.iter("testcase"):
            wrong = next((found for tag in ("failure", "error") if (found := case.find(tag)) is not None), None)
            name = re.split(r"[({\[]", case.get("name", ""))[0]
            yield name, None if wrong is None else _shortened(wrong.get("message") or wrong.text or "")
