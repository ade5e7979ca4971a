from __future__ import annotations

import pytest

from benchmarks.engine.replay import replay
from benchmarks.engine.source import file_text


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_replay_is_typing_with_corrections_pairs_and_jumps_that_ends_where_it_began(seed: int) -> None:
    text = file_text()
    steps = replay(text, seed=seed)

    assert len(steps) >= 300
    kinds = [step.kind for step in steps]
    assert kinds.count("jump") >= 0.05 * len(steps)
    assert {"typing", "correction", "closer"} <= set(kinds)
    assert any(step.pause for step in steps)
    assert steps[-1].text == text
    assert all(0 <= step.offset <= len(step.text) for step in steps)


def test_the_same_seed_types_the_same() -> None:
    text = file_text()

    assert replay(text, seed=3) == replay(text, seed=3)
    assert replay(text, seed=3) != replay(text, seed=4)
