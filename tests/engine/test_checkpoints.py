"""Going back by a saved state, bit for bit: against the same evaluation that never left.

Cells and batches are the same in both: other batches round differently, which is no matter of the states. Where a
window has moved, a state that is taken back lies in other cells than before; then it is the bytes that are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from lsp_server.engine import generation
from lsp_server.engine.checkpoints import CheckpointStore
from lsp_server.engine.evaluation import Evaluation, evaluate
from lsp_server.engine.native.context import NativeContext
from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.pool import SequencePool
from lsp_server.engine.sequence import CachedSequence
from tests.support.loads import settings
from tests.support.tiny import write_tiny

SETTINGS = settings(n_ctx=1024, n_ubatch=128, n_seq_max=3, use_extra_bufts=False)
SOURCE = Path(generation.__file__).read_text("utf-8")

Logits = npt.NDArray[np.float32]
Pool = SequencePool[NativeContext]


@pytest.fixture(scope="module")
def models(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], NativeModel]]:
    """Models by name, each loaded once."""
    loaded: dict[str, NativeModel] = {}

    def model(name: str) -> NativeModel:
        if name not in loaded:
            if name in ("small", "deepseek4"):
                path = request.getfixturevalue("small_model" if name == "small" else "tiny_deepseek4")
            else:
                path = write_tiny(name, tmp_path_factory.mktemp(name))
            loaded[name] = NativeModel(path, SETTINGS)
        return loaded[name]

    yield model
    for one in loaded.values():
        one.close()


@pytest.fixture
def pool_of(models: Callable[[str], NativeModel]) -> Iterator[Callable[[str], Pool]]:
    """Makes pools of three sequences, and frees them in the end."""
    made: list[Pool] = []

    def pool(name: str) -> Pool:
        context = NativeContext(models(name), SETTINGS)
        made.append(SequencePool(context, SETTINGS.n_seq_max, CheckpointStore(256 << 20)))
        return made[-1]

    yield pool
    for one in made:
        one.memory.close()


def run(sequence: CachedSequence[NativeContext], *steps: Sequence[int]) -> list[Logits]:
    """Evaluate steps; the logits after each."""
    found = []
    for step in steps:
        evaluation = Evaluation(sequence, step, 1)
        evaluate([evaluation])
        found.append(sequence.memory.logits(evaluation.row).copy())
    return found


def text(pool: Pool, n: int) -> list[int]:
    tokens = pool.memory.model.tokenize(SOURCE * 2)
    assert len(tokens) >= n
    return tokens[:n]


KINDS = [pytest.param("small", marks=pytest.mark.real_model), "deepseek4", "gemma3", "mamba"]
LOST_TAILS = ["deepseek4", "mamba"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [5, 130])
def test_what_follows_a_return_is_what_would_have_followed(pool_of: Callable[[str], Pool], kind: str, at: int) -> None:
    one, other = pool_of(kind), pool_of(kind)
    tokens = text(one, 700)
    base, wanted = tokens[:at], [tokens[500:537], [tokens[3]], tokens[600:605]]
    left, never_left = one.sequences[0], other.sequences[0]
    run(left, *cut(base))
    left.checkpoint()
    run(left, tokens[400:490], tokens[7:9])

    assert left.rewind(at) == at

    run(never_left, *cut(base))
    for found, expected in zip(run(left, *wanted), run(never_left, *wanted), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [5, 130, 300])
def test_a_return_brings_back_every_byte(pool_of: Callable[[str], Pool], kind: str, at: int) -> None:
    pool = pool_of(kind)
    tokens, sequence = text(pool, 700), pool.sequences[0]
    run(sequence, *cut(tokens[:at]))
    sequence.checkpoint()
    before = pool.memory.save(0, partial=False)
    run(sequence, tokens[400:490], tokens[7:9])

    assert sequence.rewind(at) == at

    np.testing.assert_array_equal(pool.memory.save(0, partial=False), before)


@pytest.mark.parametrize("kind", KINDS)
def test_once_a_window_uses_its_cells_again_nothing_is_left_of_the_tail_that_was_given_up(
    pool_of: Callable[[str], Pool], kind: str
) -> None:
    """The cells are others than without a return, and so is the rounding; what was in between must not matter."""
    answers = []
    for other_tail in (slice(400, 490), slice(450, 540)):
        pool = pool_of(kind)
        tokens = text(pool, 700)
        sequence = pool.sequences[0]
        run(sequence, *cut(tokens[:300]))
        sequence.checkpoint()
        run(sequence, tokens[other_tail])
        assert sequence.rewind(300) == 300
        answers.append(run(sequence, tokens[500:537], [tokens[3]], tokens[600:605]))

    for one, other in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_other_sequences_in_between_change_nothing(pool_of: Callable[[str], Pool], kind: str) -> None:
    one, other = pool_of(kind), pool_of(kind)
    tokens = text(one, 700)
    base, wanted = tokens[:120], [tokens[500:530], tokens[30:33]]
    left, neighbour = one.sequences[0], one.sequences[2]
    run(left, *cut(base))
    left.checkpoint()
    run(neighbour, tokens[300:400])
    run(left, tokens[400:490])
    neighbour.checkpoint()
    run(neighbour, tokens[410:440])

    assert left.rewind(120) == 120
    run(neighbour, tokens[440:450])
    found = run(left, *wanted)

    # The one that never left has the same neighbour, since what is evaluated beside it is rounded with it.
    never_left, beside = other.sequences[0], other.sequences[2]
    run(never_left, *cut(base))
    run(beside, tokens[300:400], tokens[410:440], tokens[440:450])
    for mine, expected in zip(found, run(never_left, *wanted), strict=True):
        np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_returned_to_again_and_again_and_further_back(pool_of: Callable[[str], Pool], kind: str) -> None:
    one, other = pool_of(kind), pool_of(kind)
    tokens = text(one, 700)
    left, never_left = one.sequences[0], other.sequences[0]
    positions = []
    for step in cut(tokens[:300]):
        run(left, step)
        left.checkpoint()
        positions.append(len(left.tokens))

    for at in (300, 250, 250, 100):
        run(left, tokens[500:560])
        assert left.rewind(at) == at

    run(never_left, *cut(tokens[:100]))
    expected = run(never_left, tokens[600:650])
    np.testing.assert_array_equal(run(left, tokens[600:650])[0], expected[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_state_begins_another_sequence(pool_of: Callable[[str], Pool], kind: str) -> None:
    one, other = pool_of(kind), pool_of(kind)
    tokens = text(one, 700)
    first, second = one.sequences[0], one.sequences[1]
    run(first, *cut(tokens[:200]))
    first.share()
    run(first, tokens[500:540])
    run(second, tokens[300:350])

    prompt = [*tokens[:200], *tokens[600:650]]
    assert second.within_reach(prompt).tokens == 200
    assert second.reuse(prompt) == 200
    found = run(second, prompt[200:])

    whole = other.sequences[1]
    run(whole, *cut(tokens[:200]))
    expected = run(whole, prompt[200:])
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize("kind", LOST_TAILS)
def test_a_checkpoint_behind_a_divergence_is_gone(pool_of: Callable[[str], Pool], kind: str) -> None:
    """llama.cpp would take it, and answer wrongly."""
    pool = pool_of(kind)
    tokens = text(pool, 700)
    sequence = pool.sequences[0]
    run(sequence, tokens[:100])
    sequence.checkpoint()
    run(sequence, tokens[100:200])
    sequence.checkpoint()

    assert sequence.rewind(150) == 100
    run(sequence, tokens[300:400])
    assert sequence.rewind(199) == 100


@pytest.mark.parametrize("kind", LOST_TAILS)
def test_what_another_sequence_saved_is_of_no_use(pool_of: Callable[[str], Pool], kind: str) -> None:
    pool = pool_of(kind)
    tokens = text(pool, 300)
    run(pool.sequences[0], tokens[:100])
    pool.sequences[0].checkpoint()
    run(pool.sequences[1], *cut(tokens[:150]))

    assert pool.sequences[1].rewind(120) == 0


@pytest.mark.real_model
def test_two_sequences_in_one_step_agree_with_each_alone(pool_of: Callable[[str], Pool]) -> None:
    """Rounding differs, the choice hardly ever."""
    together, alone = pool_of("small"), pool_of("small")
    tokens = text(together, 400)
    agreed = 0
    for pool in (together, alone):
        run(pool.sequences[0], tokens[:100])
        run(pool.sequences[1], tokens[100:200])
    for step in range(20):
        evaluations = [Evaluation(together.sequences[n], [tokens[300 + step + n]], 1) for n in (0, 1)]
        evaluate(evaluations)
        for n, evaluation in enumerate(evaluations):
            found = together.memory.logits(evaluation.row).copy()
            expected = run(alone.sequences[n], [tokens[300 + step + n]])[0]
            np.testing.assert_allclose(found, expected, atol=0.05 * float(np.abs(expected).max()))
            agreed += int(found.argmax() == expected.argmax())

    # Of 40; how many it is depends on the processor.
    assert agreed >= 30


def cut(tokens: Sequence[int]) -> list[Sequence[int]]:
    return [tokens[at : at + 50] for at in range(0, len(tokens), 50)]
