"""How the outcome of a documentation is judged."""

from __future__ import annotations

from pathlib import Path

from benchmarks.actions.docstrings import Outcome, judged
from benchmarks.actions.sources import Function
from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot

BEFORE = "x = 1\n\n\ndef area(radius, *, unit):\n    return radius\n"
DOCS = '"""Compute it.\n\n    Args:\n        radius: It.\n        unit: Its.\n    """'
AFTER = BEFORE.replace("    return", f"    {DOCS}\n    return")


def outcome(after: str, before: str = BEFORE) -> Outcome:
    (scope,) = functions(Snapshot.open(before, "python"))
    return judged(Function(Path("/root"), Path("/root/a.py"), "python", scope), before, after, 1.0)


def test_a_good_one() -> None:
    found = outcome(AFTER)
    assert (found.broken, found.outside, found.named, found.parameters, found.styled) == (False, True, 2, 2, True)
    assert found.written == DOCS
    assert found.where == "a.py:area:8"


def test_one_in_place_of_another() -> None:
    assert outcome(AFTER, AFTER.replace("Compute it", "Old")).outside


def test_what_is_not_as_it_was() -> None:
    assert not outcome(AFTER.replace("x = 1", "x = 2")).outside
    assert not outcome(AFTER.replace("return radius", "return unit")).outside
    assert outcome(AFTER.replace("radius, *", "radius *")).broken


def test_what_it_lacks() -> None:
    found = outcome(AFTER.replace("unit: Its", "units: Its").replace("Args:", "Parameters:"))
    assert (found.named, found.styled) == (1, False)


def test_there_is_none() -> None:
    found = outcome(BEFORE)
    assert (found.named, found.styled, found.written) == (0, False, "")
