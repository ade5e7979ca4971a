"""Unit tests for a function, a class, or a file, as one edit of the test file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lsp_server.errors import RefusedError
from lsp_server.features.types import ClassTarget, FileEdit, FileTarget, Target, TestBench, Tools, add_timings
from lsp_server.features.unit_tests.writer import Writer, Written
from lsp_server.syntax.scopes import FunctionScope, functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.test_cases import test_cases
from lsp_server.testing.sites import TestSite
from lsp_server.text.edits import TextEdit, minimal_edits

# What is tested of a class or a file at once: each function takes a while.
_MOST_AT_ONCE = 10


async def write_unit_tests(target: Target, tools: Tools) -> FileEdit:
    """Write tests for a function into its test file, new or existing.

    Raises:
        RefusedError: no framework is known, there is no place for tests, or no generated test holds.
    """
    bench, site = _bench(tools, target.snapshot)
    written = await Writer(target, site, bench, tools).write()
    return _edit(target.scope.name, site, [written])


async def write_class_tests(target: ClassTarget, tools: Tools) -> FileEdit:
    """Write tests for what others use of a class. Raises RefusedError as `write_unit_tests` does."""
    scope = target.scope
    inside = [f for f in functions(target.snapshot) if scope.start <= f.start and f.end <= scope.end and f.class_name]
    return await _write_all(target.name, target, _public(inside, target.snapshot), tools)


async def write_file_tests(target: FileTarget, tools: Tools) -> FileEdit:
    """Write tests for what others use of a file. Raises RefusedError as `write_unit_tests` does."""
    return await _write_all(target.name, target, _public(functions(target.snapshot), target.snapshot), tools)


def _public(found: Iterable[FunctionScope], snapshot: Snapshot) -> list[FunctionScope]:
    """Those that others use, by name and signature; no tests, and no constructors, which do little."""
    tests = [(case.start, case.end) for case in test_cases(snapshot)]
    every = [scope for scope in found if not any(start <= scope.start < end for start, end in tests)]
    return [
        scope
        for scope in every
        if not scope.name.startswith(("_", "#"))
        and not re.match(r"(private|protected)\b", scope.signature)
        and scope.name not in ("constructor", (scope.class_name or "").split(".")[-1])
        and not any(other.start < scope.start and scope.end <= other.end for other in every)
    ]


async def _write_all(
    name: str, whole: ClassTarget | FileTarget, scopes: Sequence[FunctionScope], tools: Tools
) -> FileEdit:
    bench, first = _bench(tools, whole.snapshot)
    if not scopes:
        raise RefusedError(f"There is no function in {name} that others use.")
    site, written, refusals = first, [], []
    for number, scope in enumerate(scopes[:_MOST_AT_ONCE], 1):
        target = Target(whole.snapshot, whole.language, scope, whole.path)
        writer = Writer(target, site, bench, tools, f"{number} of {min(len(scopes), _MOST_AT_ONCE)}: ")
        try:
            written.append(await writer.write())
        except RefusedError as refusal:
            refusals.append(f"{scope.name}: {refusal.message}")
            continue
        site = replace(site, existing=written[-1].text, exists=True)
    if not written:
        raise RefusedError(f"No usable test came out for {name}. {refusals[0]}", hint="Try a larger model.")
    left = len(scopes) - _MOST_AT_ONCE
    edit = _edit(name, first, written)
    more = (f"{left} more functions are left for another time.",) if left > 0 else ()
    return replace(edit, notes=(*edit.notes, *refusals, *more))


def _bench(tools: Tools, document: Snapshot) -> tuple[TestBench, TestSite]:
    """Where tests are tried out, and where they go."""
    bench = tools.bench
    if bench is None:
        raise RefusedError(
            "Tests belong beside a file of a language whose frameworks are known.", hint="Save this document first."
        )
    if bench.site.exists and bench.site.existing is None:
        raise RefusedError(f"{bench.site.path} cannot be read as UTF-8, so it cannot be extended.")
    own = bench.site.path == bench.site.source
    return bench, replace(bench.site, existing=document.text, exists=True) if own else bench.site


def _edit(name: str, site: TestSite, written: Sequence[Written]) -> FileEdit:
    """The edit of the test file, which may be the document itself."""
    count, text = sum(one.count for one in written), written[-1].text
    timings = written[0].timings
    for one in written[1:]:
        timings = add_timings(timings, one.timings)
    notes = tuple(f"{one.name}: {one.note}" if len(written) > 1 else one.note for one in written)
    title = f"Add {count} test{'s' if count > 1 else ''} for {name}"
    before = site.existing or ""
    if site.path == site.source:
        return FileEdit(title, tuple(minimal_edits(before, text)), notes=notes, timings=timings)
    edits = tuple(minimal_edits(before, text)) if before else (TextEdit(0, 0, text),)
    return FileEdit(title, edits, site.path, site.existing is None, before, notes, timings)
