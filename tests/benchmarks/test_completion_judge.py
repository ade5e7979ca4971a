from __future__ import annotations

from collections import Counter

from benchmarks.completion.judge import Seen


def test_tests_that_run_little_else_come_first_and_slow_ones_not_at_all() -> None:
    lines = {"a.py": {1: ("broad",), 2: ("broad", "narrow", "slow"), 3: ("broad",)}}
    breadth = {"a.py": Counter(test for tests in lines["a.py"].values() for test in tests)}
    seen = Seen({"broad": 0.1, "narrow": 0.1, "slow": 5.0}, lines, breadth)

    assert seen.tests("a.py", 2, 2) == ("narrow", "broad")
    assert seen.tests("a.py", 4, 9) == ()
    assert seen.tests("b.py", 1, 1) == ()
