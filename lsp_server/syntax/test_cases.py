"""The tests in a text: what is one, by the form that its language's frameworks give it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import tree_sitter

from lsp_server.syntax.queries import matches
from lsp_server.syntax.snapshot import Snapshot

# bats: `@test "adds two" {`, which is no Bash.
_BATS = re.compile(r'^@test (["\'])(?P<title>.*)\1 \{$', re.MULTILINE)
_TEST_ATTRIBUTE = re.compile(r"#\[\s*((\w+::)*test|rstest)\b")


@dataclass(frozen=True, slots=True)
class TestCase:
    """A test.

    Attributes:
        name: a function's name, or the title without its quotes.
        start, end: the test with its decorators and attributes.
        name_start, name_end: where the name stands.
    """

    name: str
    start: int
    end: int
    name_start: int
    name_end: int


def test_cases(snapshot: Snapshot) -> tuple[TestCase, ...]:
    """The tests of a text in source order; none for a language whose tests are not known."""
    if snapshot.language_id == "shellscript":
        return _in_bats(snapshot)
    widest: dict[int, TestCase] = {}
    for match in matches(snapshot, "tests"):
        case = _case(snapshot, match["case"][0], match["name"][0])
        # A decorated function is a match with its decorators, and one without.
        if case and not (case.name_start in widest and widest[case.name_start].start <= case.start):
            widest[case.name_start] = case
    return tuple(sorted(widest.values(), key=lambda case: case.start))


def _case(snapshot: Snapshot, node: tree_sitter.Node, name: tree_sitter.Node) -> TestCase | None:
    start, end = snapshot.span(node)
    if node.type == "function_item":
        attributes = _attributes(node)
        if not any(_TEST_ATTRIBUTE.match(snapshot.source(one)) for one in attributes):
            return None
        start = snapshot.span(attributes[-1])[0]
    first, last = snapshot.span(name)
    if snapshot.text[first] in "'\"`":
        first, last = first + 1, last - 1
    return TestCase(snapshot.text[first:last], start, end, first, last)


def _attributes(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The attributes above a Rust item, the nearest first."""
    found = []
    above = node.prev_sibling
    while above is not None and above.type == "attribute_item":
        found.append(above)
        above = above.prev_sibling
    return found


def _in_bats(snapshot: Snapshot) -> tuple[TestCase, ...]:
    titles = {match.start(): match for match in _BATS.finditer(snapshot.text)}
    as_bash = _BATS.sub(lambda match: "_" + re.sub(r"\W", "_", match[0][1:-3], flags=re.ASCII) + "(){", snapshot.text)
    bash = Snapshot.open(as_bash, "shellscript")
    cases = []
    for match in matches(bash, "tests"):
        start, end = bash.span(match["case"][0])
        if start in titles:
            first, last = titles[start].span("title")
            cases.append(TestCase(titles[start]["title"], start, end, first, last))
    return tuple(cases)
