"""llama.cpp's memory itself, in this process: what is left in it after a step was broken off or a tail dropped.

Each comparison is with a context that evaluated the same tokens in the same steps, and nothing else.
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
from lsp_server.engine.generation import generate
from lsp_server.engine.generation_types import Finished, GenerationRequest, Step, StopReason
from lsp_server.engine.native.context import NativeContext
from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.sequence import CachedSequence
from lsp_server.engine.step_curve import Pace, StepCurve
from lsp_server.errors import DecodeAbortedError, ModelLoadError, OutOfMemoryError
from tests.support.loads import settings
from tests.support.tiny import write_tiny

# No load was tried out before: without rearranged weights none has crashed yet.
SETTINGS = settings(n_ctx=2048, n_ubatch=128, use_extra_bufts=False)
SOURCE = Path(generation.__file__).read_text("utf-8")


class Asked:
    """Says that a step is cancelled from the n-th time on that it is asked, and counts."""

    def __init__(self, n: float = float("inf")) -> None:
        self.n = n
        self.count = 0

    def __call__(self) -> bool:
        self.count += 1
        return self.count > self.n


Sequence_ = CachedSequence[NativeContext]
New = Callable[[NativeModel], Sequence_]


def loaded(path: Path) -> Iterator[NativeModel]:
    model = NativeModel(path, SETTINGS)
    yield model
    model.close()


@pytest.fixture(scope="module")
def small(small_model: Path) -> Iterator[NativeModel]:
    yield from loaded(small_model)


@pytest.fixture(scope="module")
def deepseek4(tiny_deepseek4: Path) -> Iterator[NativeModel]:
    yield from loaded(tiny_deepseek4)


@pytest.fixture(scope="module")
def gemma3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeModel]:
    yield from loaded(write_tiny("gemma3", tmp_path_factory.mktemp("gemma3")))


@pytest.fixture(scope="module")
def mamba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeModel]:
    yield from loaded(write_tiny("mamba", tmp_path_factory.mktemp("mamba")))


@pytest.fixture
def new() -> Iterator[New]:
    """Makes empty sequences of a model, and frees them in the end."""
    made: list[Sequence_] = []

    def make(model: NativeModel) -> Sequence_:
        made.append(CachedSequence(NativeContext(model, SETTINGS), checkpoints=CheckpointStore(64 << 20)))
        return made[-1]

    yield make
    for sequence in made:
        sequence.memory.close()


def extend(sequence: Sequence_, tokens: Sequence[int], cancelled: Callable[[], bool] | None = None) -> None:
    """Evaluate one step."""
    evaluate([Evaluation(sequence, tokens, 1, cancelled)])


def logits_after(sequence: Sequence_, *steps: Sequence[int]) -> npt.NDArray[np.float32]:
    """Evaluate some steps; the last one's logits."""
    for step in steps:
        extend(sequence, step)
    return sequence.memory.logits().copy()


@pytest.mark.real_model
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_step_that_is_broken_off_leaves_no_trace(small: NativeModel, new: New, share: float) -> None:
    tokens = small.tokenize(SOURCE)
    kept, long, other = tokens[:32], tokens[32:160], tokens[160:192]
    whole = Asked()
    sequence = new(small)
    extend(sequence, kept)
    extend(sequence, long, whole)
    sequence.forget()

    # Hundreds of operations, between any two of which it can be broken off; it ends at the first that is asked.
    assert whole.count > 100
    asked = Asked(int(share * whole.count))
    extend(sequence, kept)
    with pytest.raises(DecodeAbortedError):
        extend(sequence, long, asked)

    assert asked.count <= asked.n + 2
    assert sequence.tokens == kept
    np.testing.assert_array_equal(logits_after(sequence, other), logits_after(new(small), kept, other))


@pytest.mark.real_model
def test_a_first_step_that_is_broken_off_leaves_an_empty_memory(small: NativeModel, new: New) -> None:
    tokens = small.tokenize(SOURCE)[:100]
    sequence = new(small)

    with pytest.raises(DecodeAbortedError):
        extend(sequence, tokens, Asked(50))

    assert sequence.tokens == []
    np.testing.assert_array_equal(logits_after(sequence, tokens), logits_after(new(small), tokens))


@pytest.mark.real_model
def test_many_in_a_row_are_no_worse_than_one(small: NativeModel, new: New) -> None:
    tokens = small.tokenize(SOURCE)
    sequence = new(small)
    extend(sequence, tokens[:64])

    for i in range(10):
        with pytest.raises(DecodeAbortedError):
            extend(sequence, tokens[64 + i :][: 10 * i + 1], Asked(9 * i))

    expected = logits_after(new(small), tokens[:64], tokens[64:128])
    np.testing.assert_array_equal(logits_after(sequence, tokens[64:128]), expected)


def answer(
    model: NativeModel, sequence: Sequence_, prompt: list[int], cancelled: Callable[[], bool] = lambda: False
) -> tuple[str, Finished]:
    pace = Pace(StepCurve(), 64, lambda: 1.0)
    generation = generate(model, sequence, GenerationRequest(prompt, 12), cancelled, pace)
    text, event = "", next(generation)
    while not isinstance(event, Finished):
        text += event.text if isinstance(event, Step) else ""
        if isinstance(event, Evaluation):
            try:
                evaluate([event])
            except DecodeAbortedError as error:
                event = generation.throw(error)
                continue
        event = next(generation)
    return text, event


@pytest.mark.real_model
def test_a_cancelled_generation_keeps_whole_steps_and_the_next_one_goes_on_from_there(
    small: NativeModel, new: New
) -> None:
    prompt = small.tokenize(SOURCE)[:300]
    whole, sequence = Asked(), new(small)
    expected, _ = answer(small, sequence, prompt, whole)
    sequence.forget()

    # Half of what was asked in five steps lies within the third.
    asked = Asked(whole.count // 2)
    text, end = answer(small, sequence, prompt, asked)

    assert (text, end.reason) == ("", StopReason.CANCELLED)
    assert asked.count <= asked.n + 3
    # How large a step is depends on how fast this machine is just now.
    kept = len(sequence.tokens)
    assert 0 < kept < len(prompt)
    assert sequence.tokens == prompt[:kept]

    text, end = answer(small, sequence, prompt)
    assert end.timings.reused_tokens == kept
    assert text == expected


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_deepseek_v4_is_broken_off_and_gets_back_by_its_checkpoint(
    deepseek4: NativeModel, new: New, share: float
) -> None:
    """llama.cpp itself does not recover there: positions stay, tails are not dropped, the next step fails."""
    # Short enough for its window's cells: once they are used again, the same tokens are added up in another order.
    prompt = deepseek4.tokenize(SOURCE)[:220]
    whole = Asked()
    expected, _ = answer(deepseek4, new(deepseek4), prompt, whole)

    sequence = new(deepseek4)
    text, end = answer(deepseek4, sequence, prompt, Asked(int(whole.count * share)))

    assert (text, end.reason) == ("", StopReason.CANCELLED)
    kept = len(sequence.tokens)
    assert kept in (64, 128, 192, 219)
    assert sequence.tokens == prompt[:kept]

    text, end = answer(deepseek4, sequence, prompt)
    assert end.timings.reused_tokens == kept
    assert text == expected


def test_deepseek_v4_drops_no_tail_and_starts_anew_without_a_checkpoint(deepseek4: NativeModel, new: New) -> None:
    tokens = deepseek4.tokenize(SOURCE)[:400]
    sequence = new(deepseek4)
    logits_after(sequence, *in_steps(tokens[:300]))

    assert sequence.reuse([*tokens[:200], *tokens[350:]]) == 0
    np.testing.assert_array_equal(logits_after(sequence, tokens[:64]), logits_after(new(deepseek4), tokens[:64]))


def in_steps(tokens: Sequence[int]) -> list[Sequence[int]]:
    return [tokens[at : at + 50] for at in range(0, len(tokens), 50)]


def test_a_window_that_is_no_longer_whole_is_not_gone_back_to(gemma3: NativeModel, new: New) -> None:
    """Layers that look back 32 tokens have lost by then what stood before the tail; llama.cpp drops it all the same."""
    tokens = gemma3.tokenize(SOURCE)[:1500]
    assert len(tokens) == 1500
    sequence = new(gemma3)
    logits_after(sequence, *in_steps(tokens))

    prompt = [*tokens[:100], *tokens[1200:1250]]
    assert sequence.reuse(prompt) == 0
    np.testing.assert_array_equal(
        logits_after(sequence, *in_steps(prompt)), logits_after(new(gemma3), *in_steps(prompt))
    )


def test_a_window_that_is_still_whole_is_kept(gemma3: NativeModel, new: New) -> None:
    tokens = gemma3.tokenize(SOURCE)[:1500]
    sequence = new(gemma3)
    logits_after(sequence, *in_steps(tokens))

    other = next(i for i in range(1000, 1100) if tokens[i] != tokens[1400])
    prompt = [*tokens[:1400], *tokens[other : other + 50]]
    assert sequence.reuse(prompt) == 1400
    found = logits_after(sequence, prompt[1400:])
    expected = logits_after(new(gemma3), *in_steps(prompt))
    # The same keys in other cells are added up in another order.
    np.testing.assert_allclose(found, expected, atol=0.02 * float(np.abs(expected).max()))


def test_the_whole_window_may_be_at_the_beginning(gemma3: NativeModel, new: New) -> None:
    tokens = gemma3.tokenize(SOURCE)[:200]
    sequence = new(gemma3)
    logits_after(sequence, *in_steps(tokens))

    assert sequence.reuse([*tokens[:10], *tokens[50:60]]) == 10


def test_a_state_has_no_tail(mamba: NativeModel, new: New) -> None:
    tokens = mamba.tokenize(SOURCE)[:100]
    sequence = new(mamba)
    assert not sequence.memory.drops_tails
    extend(sequence, tokens)

    assert not sequence.memory.drop_tail(0, 50)
    assert sequence.reuse([*tokens[:50], 1, 2]) == 0


@pytest.mark.real_model
def test_a_context_that_cannot_be_had_says_so(small: NativeModel) -> None:
    wrong = settings(n_ctx=512, type_v="Q8_0", flash_attn=False, use_extra_bufts=False)

    with pytest.raises(ModelLoadError, match="could not make a context of 512 tokens") as refused:
        NativeContext(small, wrong)

    assert not isinstance(refused.value, OutOfMemoryError)
