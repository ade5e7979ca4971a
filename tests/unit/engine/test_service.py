from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from lsp_server.engine import loading, power
from lsp_server.engine import service as module
from lsp_server.engine.checkpoints import CheckpointStore
from lsp_server.engine.config import EngineConfig
from lsp_server.engine.evaluation import Evaluation
from lsp_server.engine.generation_types import Finished, GenerationRequest, Step, StopReason, Timings
from lsp_server.engine.lanes import Lane, Priority
from lsp_server.engine.layout import Hole
from lsp_server.engine.native import library
from lsp_server.engine.native.model import FimTokens
from lsp_server.engine.pool import SequencePool
from lsp_server.engine.service import EngineService, Phase
from lsp_server.engine.step_curve import Pace, StepCurve
from lsp_server.errors import InvalidRequestError, ModelLoadError, OutOfMemoryError
from lsp_server.models.catalog import FimLayout
from lsp_server.models.planning.plan import Wishes
from lsp_server.models.planning.settings import LoadSettings
from tests.support.loads import MIB, device, plan
from tests.support.memory import FakeMemory

PATIENCE_S = 30.0  # only ever waited for in full by a test that fails


@pytest.fixture
def service(tmp_path: Path) -> Iterator[EngineService]:
    config = EngineConfig("small", tmp_path / "small.gguf", n_ctx=512, n_gpu_layers=0, n_threads=1)
    service = EngineService(config, lambda _architecture: FimLayout("prefix-first"))
    yield service
    service.close()


def load(service: EngineService) -> None:
    """Start to load and wait for the end of that."""
    service.start()
    service._loader.join(timeout=30)
    assert not service._loader.is_alive()


@pytest.mark.parametrize(
    "error", [ModelLoadError("llama.cpp could not load it."), OSError("gone"), ZeroDivisionError("a defect of ours")]
)
def test_a_load_that_fails_says_why_whatever_it_was(
    service: EngineService, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(loading, "prepare", fail)

    load(service)

    assert service.phase is Phase.FAILED
    assert str(error) in service.failure
    with pytest.raises(ModelLoadError, match=str(error)):
        _ = service.model


def test_a_file_that_is_not_there_is_a_failed_load(service: EngineService) -> None:
    load(service)

    assert service.phase is Phase.FAILED
    assert "small.gguf" in service.failure


@pytest.mark.parametrize(
    ("given", "n_gpu_layers", "n_threads"), [((-1, 0), None, None), ((0, 4), 0, 4), ((20, 1), 20, 1)]
)
def test_what_the_planner_is_asked_for(given: tuple[int, int], n_gpu_layers: int | None, n_threads: int | None) -> None:
    config = EngineConfig("small", Path("small.gguf"), 4096, *given, memory_share=0.5)

    assert config.wishes == Wishes(
        role="completion",
        n_ctx=4096,
        n_contexts=2,
        n_sequences=4,
        memory_share=0.5,
        reserve_bytes=1_024_000_000,
        n_gpu_layers=n_gpu_layers,
        n_threads=n_threads,
    )


class FakeModel:
    """A vocabulary of characters."""

    architecture = "any"
    fim: FimTokens | None = FimTokens(-1, -2, -3, None, None)
    bos: ClassVar[list[int]] = [-9]
    special_texts: ClassVar[frozenset[str]] = frozenset()

    def continuations(self, _text: bytes) -> list[int]:
        return []

    def tokenize(self, text: str) -> list[int]:
        return [ord(c) for c in text]

    def close(self) -> None:
        pass


def loaded(service: EngineService, model: FakeModel, n_ctx: int, n_sequences: int = 1) -> FakeMemory:
    """As if the service had loaded this model; returns the memory of both lanes."""
    memory = FakeMemory(n_ctx=n_ctx, n_sequences=n_sequences)
    for lane in Lane:
        service._pools[lane] = cast(Any, SequencePool(memory, n_sequences, CheckpointStore(1000)))
    service._model = cast(Any, model)
    service.load = loading.Load(plan(n_seq_max=n_sequences), [])
    return memory


def counted(service: EngineService) -> dict[str, float]:
    """What the metrics page has, but for labels."""
    lines = [line.rsplit(" ", 1) for line in service.metrics_page().decode().splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in lines}


def serve(monkeypatch: pytest.MonkeyPatch, steps: Callable[..., Iterator[Any]]) -> None:
    """Have generations do this instead: (model, sequence, request, cancelled, pace) → events."""
    monkeypatch.setattr(module, "generate", steps)


@pytest.mark.parametrize(
    ("n_ctx", "max_tokens", "most"),
    [(1000, 0, 872), (1000, 128, 872), (1000, 200, 800), (1000, 4096, 500), (100, 1, 50)],
)
def test_a_hole_larger_than_the_context_leaves_room_for_the_answer(
    service: EngineService, n_ctx: int, max_tokens: int, most: int
) -> None:
    """But at most half of it, whatever is asked for; and what is read ahead is laid out as what is asked for later."""
    loaded(service, FakeModel(), n_ctx=n_ctx)

    prompt = service.infill(Hole("x;" * 1000, "y" * 2000), max_tokens)

    # Room is made in strides.
    assert most * 0.8 <= len(prompt.tokens) <= most
    assert prompt.tokens[:2] == [-9, -1]


def test_a_model_that_cannot_fill_holes_says_so(service: EngineService) -> None:
    model = FakeModel()
    model.fim = None
    loaded(service, model, n_ctx=100)

    with pytest.raises(InvalidRequestError, match="small was not trained to fill holes"):
        service.infill(Hole("a", "b"), 10)


async def test_before_the_model_is_loaded_requests_are_refused(service: EngineService) -> None:
    assert service.phase is Phase.LOADING
    with pytest.raises(ModelLoadError, match="still loading"):
        service.infill(Hole("a", "b"), 10)
    with pytest.raises(ModelLoadError, match="still loading"):
        await anext(aiter(service.run(GenerationRequest([1], 1), Lane.COMPLETION, Priority.INLINE)))
    assert service.busy == 0


def test_before_the_model_is_loaded_there_is_no_plan(service: EngineService) -> None:
    with pytest.raises(ModelLoadError, match="still loading"):
        _ = service.plan


def test_what_is_loaded_is_what_was_proven_and_what_it_takes_is_compared(
    service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    proven = loading.Load(
        plan(device("CPU", weights=10, kv=4, compute=2), n_ctx=300, n_seq_max=3, n_contexts=2), ["Smaller."]
    )
    asked: list[object] = []
    made: list[object] = []

    def prepare(*arguments: object) -> loading.Load:
        *others, on_progress, _neighbours = arguments
        asked.extend(others)
        assert callable(on_progress)
        assert on_progress(0.5)
        # A trial is the first half of what is waited for.
        assert service.loaded_fraction == 0.25
        return proven

    def new_model(path: Path, settings: object, *, on_progress: Callable[[float], bool]) -> FakeModel:
        made.extend([path, settings])
        assert on_progress(0.5)
        assert service.loaded_fraction == 0.75
        library._on_log(2, b"load_tensors:   CPU_Mapped model buffer size =    10.00 MiB\n", None)
        return FakeModel()

    def new_context(_model: object, settings: Any) -> FakeMemory:
        made.append(settings)
        library._on_log(2, b"llama_kv_cache: size =    2.00 MiB (  512 cells)\n", None)
        library._on_log(2, b"sched_reserve:        CPU compute buffer size =     1.00 MiB\n", None)
        return FakeMemory(n_ctx=settings.n_ctx, n_sequences=settings.n_seq_max)

    monkeypatch.setattr(loading, "prepare", prepare)
    monkeypatch.setattr(module, "machine_library", "the library")
    monkeypatch.setattr(module, "NativeModel", new_model)
    monkeypatch.setattr(module, "NativeContext", new_context)
    monkeypatch.setattr(module, "ChatTemplate", lambda _model: None)

    load(service)

    assert (service.phase, service.failure, service.loaded_fraction) == (Phase.READY, "", 1.0)
    assert asked == [service.config.path, service.config.wishes, "the library"]
    assert made == [service.config.path, proven.plan.settings, proven.plan.settings]
    assert service.n_ctx == 300
    assert len(service.slots()) == 3
    assert service.load is proven
    assert proven.measured == {"weights": 10 * MIB, "kv": 2 * MIB, "compute": MIB}


FINISHED = Finished(StopReason.EOS, "", Timings(10, 4, 6, predicted_tokens=3, ttft_ms=5))


@pytest.mark.parametrize(
    ("lane", "priority", "since_s", "limit_s"),
    [
        (Lane.ASSISTANT, Priority.ACTION, 1.0, 0.35),
        (Lane.ASSISTANT, Priority.ACTION, 60.0, 1.0),
        (Lane.COMPLETION, Priority.BACKGROUND, 60.0, 0.35),
        (Lane.COMPLETION, Priority.INLINE, 1.0, 1.0),
    ],
)
async def test_others_make_short_steps_while_somebody_types(
    service: EngineService,
    monkeypatch: pytest.MonkeyPatch,
    lane: Lane,
    priority: Priority,
    since_s: float,
    limit_s: float,
) -> None:
    seen: list[float] = []

    def generate(*arguments: Any) -> Iterator[Finished]:
        pace: Pace = arguments[-1]
        service._last_infill = time.monotonic() - since_s
        seen.append(pace.limit_s())
        yield FINISHED

    serve(monkeypatch, generate)
    loaded(service, FakeModel(), n_ctx=100)

    [event async for event in service.run(GenerationRequest([1], 1), lane, priority)]

    assert seen == [limit_s]


async def test_a_completion_is_what_tells_that_somebody_types(
    service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, lambda *_: (event for event in [FINISHED]))
    loaded(service, FakeModel(), n_ctx=100)

    service._last_infill = long_ago = time.monotonic() - 60
    [event async for event in service.run(GenerationRequest([1], 1), Lane.ASSISTANT, Priority.ACTION)]
    assert service._last_infill == long_ago

    [event async for event in service.run(GenerationRequest([1], 1), Lane.COMPLETION, Priority.INLINE)]
    assert service._last_infill > long_ago


async def test_each_lane_learns_for_itself_how_long_steps_take(
    service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves: list[StepCurve] = []

    def generate(*arguments: Any) -> Iterator[Finished]:
        curves.append(arguments[-1].curve)
        yield FINISHED

    serve(monkeypatch, generate)
    loaded(service, FakeModel(), n_ctx=100)
    for lane in (Lane.COMPLETION, Lane.ASSISTANT, Lane.COMPLETION):
        [event async for event in service.run(GenerationRequest([1], 1), lane, Priority.ACTION)]

    assert curves[0] is curves[2] is not curves[1]


async def test_a_generation_gets_the_sequence_that_suits_it_and_gives_it_back(
    service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    def generate(_model: object, sequence: Any, request: GenerationRequest, *_: object) -> Iterator[Any]:
        taken.append(sequence.number)
        kept = sequence.reuse(request.prompt)
        yield Evaluation(sequence, request.prompt[kept:], 1)
        yield FINISHED

    serve(monkeypatch, generate)
    loaded(service, FakeModel(), n_ctx=100, n_sequences=3)
    for prompt in ([1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 3, 4, 5]):
        [event async for event in service.run(GenerationRequest(prompt, 1), Lane.ASSISTANT, Priority.ACTION)]

    assert taken[0] == taken[2] != taken[1]
    assert service._pools[Lane.ASSISTANT].n_free == 3


async def test_sequences_are_listed_as_slots(service: EngineService, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[list[dict[str, Any]]] = []

    def generate(_model: object, sequence: Any, *_: object) -> Iterator[Any]:
        yield Evaluation(sequence, [1, 2, 3], 1)
        sequence.share()
        listed.append(service.slots())
        yield FINISHED

    serve(monkeypatch, generate)
    loaded(service, FakeModel(), n_ctx=100, n_sequences=2)
    [event async for event in service.run(GenerationRequest([1, 2, 3], 1), Lane.ASSISTANT, Priority.ACTION)]

    (while_running,) = listed
    assert [slot["id"] for slot in while_running] == [0, 1, 2, 3]
    assert [slot["lane"] for slot in while_running] == ["completion", "completion", "assistant", "assistant"]
    assert [slot["is_processing"] for slot in while_running] == [False, False, True, False]
    assert [slot["n_prompt_tokens_cache"] for slot in while_running] == [0, 0, 3, 0]
    assert [slot["n_checkpoints"] for slot in while_running] == [0, 0, 1, 1]
    assert while_running[3]["checkpoint_bytes"] > 0
    assert {slot["n_ctx"] for slot in while_running} == {100}
    assert not any(slot["is_processing"] for slot in service.slots())


def test_without_a_model_there_are_no_slots(service: EngineService) -> None:
    assert service.slots() == []


async def test_what_generations_cost_is_counted(service: EngineService, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, lambda *_: (event for event in [FINISHED]))
    loaded(service, FakeModel(), n_ctx=100)
    for lane in (Lane.COMPLETION, Lane.COMPLETION, Lane.ASSISTANT):
        [event async for event in service.run(GenerationRequest([1], 1), lane, Priority.ACTION)]

    found = counted(service)

    assert found["llamacpp:prompt_tokens_total"] == 18
    assert found["llamacpp:tokens_predicted_total"] == 9
    assert found['shardlight:requests_total{lane="completion",reason="eos"}'] == 2
    assert found['shardlight:ttft_seconds_count{lane="assistant"}'] == 1
    assert (found["llamacpp:requests_processing"], found["llamacpp:requests_deferred"]) == (0, 0)


async def test_so_are_those_whose_reader_had_enough(service: EngineService, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a rule completions end so: the client closes the stream when the block is complete."""

    def generate(*arguments: Any) -> Iterator[Any]:
        cancelled = arguments[3]
        while not cancelled():
            yield Step("more", Timings())
            if cancelled_by_reader.wait(PATIENCE_S):
                break
        yield Finished(StopReason.CANCELLED, "", FINISHED.timings)

    cancelled_by_reader = threading.Event()
    serve(monkeypatch, generate)
    loaded(service, FakeModel(), n_ctx=100)
    async with aclosing(service.run(GenerationRequest([1], 1), Lane.COMPLETION, Priority.INLINE)) as events:  # type: ignore[type-var]
        assert isinstance(await anext(aiter(events)), Step)
    cancelled_by_reader.set()
    service._scheduler.close()

    assert counted(service)['shardlight:requests_total{lane="completion",reason="cancelled"}'] == 1


async def test_a_request_that_does_not_fit_is_refused_before_it_waits(service: EngineService) -> None:
    loaded(service, FakeModel(), n_ctx=10)
    with pytest.raises(InvalidRequestError, match="has 10 tokens and the context holds 10"):
        await anext(aiter(service.run(GenerationRequest([1] * 10, 1), Lane.COMPLETION, Priority.INLINE)))
    assert service.busy == 0


async def test_on_battery_work_that_nobody_waits_for_is_not_done(
    service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generate(*arguments: Any) -> Iterator[Finished]:
        cancelled = arguments[3]
        yield replace(FINISHED, reason=StopReason.CANCELLED) if cancelled() else FINISHED

    serve(monkeypatch, generate)
    loaded(service, FakeModel(), n_ctx=100)
    monkeypatch.setattr(power, "_unplugged", lambda: True)

    reasons = []
    for priority in (Priority.BACKGROUND, Priority.ACTION):
        async for event in service.run(GenerationRequest([1], 1), Lane.ASSISTANT, priority):
            assert isinstance(event, Finished)
            reasons.append(event.reason)

    assert reasons == [StopReason.CANCELLED, StopReason.EOS]


async def test_the_assistants_context_is_made_at_its_first_use(
    service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, lambda *_: (event for event in [FINISHED]))
    loaded(service, FakeModel(), n_ctx=100)
    del service._pools[Lane.ASSISTANT]
    made: list[object] = []

    def new_context(_model: object, settings: LoadSettings) -> FakeMemory:
        made.append(settings)
        return FakeMemory(n_ctx=100, n_sequences=settings.n_seq_max)

    monkeypatch.setattr(module, "NativeContext", new_context)

    assert len(service.slots()) == 1
    for _ in range(2):
        [event async for event in service.run(GenerationRequest([1], 1), Lane.ASSISTANT, Priority.ACTION)]

    assert made == [service.plan.settings]
    assert len(service.slots()) == 2


async def test_without_room_for_it_the_request_fails_and_the_engine_does_not(
    service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, lambda *_: (event for event in [FINISHED]))
    loaded(service, FakeModel(), n_ctx=100)
    del service._pools[Lane.ASSISTANT]

    def refuse(*_: object) -> None:
        raise OutOfMemoryError("There is not enough memory for a context.")

    monkeypatch.setattr(module, "NativeContext", refuse)

    with pytest.raises(OutOfMemoryError):
        [event async for event in service.run(GenerationRequest([1], 1), Lane.ASSISTANT, Priority.ACTION)]
    assert [
        type(event) async for event in service.run(GenerationRequest([1], 1), Lane.COMPLETION, Priority.ACTION)
    ] == [Finished]


def test_closing_frees_each_context(service: EngineService) -> None:
    memory = loaded(service, FakeModel(), n_ctx=100)
    service.close()
    assert memory.closed
