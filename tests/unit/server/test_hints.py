from __future__ import annotations

from lsp_server.features.bug_hints import BugHint
from lsp_server.inference.backend import Timings
from lsp_server.server.hints import Hints
from lsp_server.syntax.snapshot import Snapshot

URI = "file:///w/a.py"
F, G = "def f():\n    return 1", "def g():\n    return 2"


def hint(text: str, message: str = "wrong") -> BugHint:
    return BugHint(text, 13, 21, message, "Fix: `x`", (), 4.0, Timings())


def current(hints: Hints, text: str, uri: str = URI) -> list[tuple[int, str]]:
    return [(at, found.function_text) for at, found in hints.current(uri, Snapshot.open(text, "python"))]


def test_a_hint_moves_with_its_function() -> None:
    hints = Hints()
    hints.replace(URI, F, hint(F))
    assert current(hints, f"{F}\n") == [(0, F)]
    assert current(hints, f"import os\n\n\n{F}\n") == [(12, F)]


def test_a_hint_is_gone_for_good_when_its_function_changes() -> None:
    hints = Hints()
    hints.replace(URI, F, hint(F))
    hints.replace(URI, G, hint(G))
    changed = f"{F.replace('1', '3')}\n\n\n{G}\n"
    assert current(hints, changed) == [(24, G)]
    assert current(hints, f"{F}\n\n\n{G}\n") == [(24, G)]
    assert URI in hints


def test_a_function_that_goes_on_has_changed() -> None:
    for changed in (f"{F}0\n", f"{F}\n    more()\n", f"async {F}\n", f"@cache\n{F}\n"):
        hints = Hints()
        hints.replace(URI, F, hint(F))
        assert current(hints, changed) == []


def test_a_method_moves_too() -> None:
    method = "def f(self):\n        return 1"
    hints = Hints()
    hints.replace(URI, method, hint(method))
    assert current(hints, f"class A:\n    {method}\n\n    x = 1\n") == [(13, method)]


def test_only_the_latest_word_about_a_function_counts() -> None:
    hints = Hints()
    hints.replace(URI, F, hint(F, "old"))
    hints.replace(URI, F, hint(F, "new"))
    assert [h.message for _, h in hints.current(URI, Snapshot.open(F, "python"))] == ["new"]
    hints.replace(URI, F, None)
    assert current(hints, F) == []
    assert URI not in hints


def test_documents_do_not_share_hints() -> None:
    hints = Hints()
    hints.replace(URI, F, hint(F))
    assert current(hints, F, "file:///w/b.py") == []
    hints.drop(URI)
    hints.drop(URI)
    assert URI not in hints
