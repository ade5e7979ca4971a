from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from lsp_server.engine import loading
from lsp_server.engine import service as module
from lsp_server.engine.generation import Finished, GenerationRequest, StopReason, Timings
from lsp_server.engine.layout import Hole
from lsp_server.engine.native import library
from lsp_server.engine.native.model import FimTokens
from lsp_server.engine.scheduler import Lane, Priority
from lsp_server.engine.sequence import CachedSequence
from lsp_server.engine.service import EngineConfig, EngineService, Phase
from lsp_server.errors import InvalidRequestError, ModelLoadError
from lsp_server.models.planning.plan import Wishes
from tests.support.loads import MIB, device, plan
from tests.support.memory import FakeMemory


@pytest.fixture
def service(tmp_path: Path) -> Iterator[EngineService]:
    config = EngineConfig("small", tmp_path / "small.gguf", n_ctx=512, n_gpu_layers=0, n_threads=1)
    service = EngineService(config, lambda _architecture: "prefix-first")
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
        memory_share=0.5,
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


def loaded(service: EngineService, model: FakeModel, n_ctx: int) -> EngineService:
    """The service as if it had loaded this model."""
    memory = FakeMemory(n_ctx=n_ctx)
    service._lanes[Lane.COMPLETION] = cast(Any, CachedSequence(memory))
    service._model = cast(Any, model)
    return service


@pytest.mark.parametrize(("max_tokens", "expected"), [(0, 99), (1, 99), (40, 60), (50, 50), (4096, 50)])
def test_a_hole_larger_than_the_context_leaves_room_for_the_answer(
    service: EngineService, max_tokens: int, expected: int
) -> None:
    """But at most half of it, whatever is asked for, and always one token."""
    loaded(service, FakeModel(), n_ctx=100)

    prompt = service.infill(Hole("x" * 200, "y" * 200), max_tokens)

    assert len(prompt.tokens) == expected
    assert prompt.tokens[:2] == [-9, -1]


def test_a_model_that_cannot_fill_holes_says_so(service: EngineService) -> None:
    model = FakeModel()
    model.fim = None

    with pytest.raises(InvalidRequestError, match="small was not trained to fill holes"):
        loaded(service, model, n_ctx=100).infill(Hole("a", "b"), 10)


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
    proven = loading.Load(plan(device("CPU", weights=10, kv=4, compute=2), n_ctx=300, n_contexts=2), ["Smaller."])
    asked: list[object] = []
    made: list[object] = []

    def prepare(*arguments: object) -> loading.Load:
        *others, on_progress = arguments
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
        return FakeMemory(n_ctx=settings.n_ctx)

    monkeypatch.setattr(loading, "prepare", prepare)
    monkeypatch.setattr(module, "machine_library", lambda: "this library")
    monkeypatch.setattr(module, "NativeModel", new_model)
    monkeypatch.setattr(module, "NativeContext", new_context)
    monkeypatch.setattr(module, "ChatTemplate", lambda _model: None)

    load(service)

    assert (service.phase, service.failure, service.loaded_fraction) == (Phase.READY, "", 1.0)
    assert asked == [service.config.path, service.config.wishes, "this library"]
    assert made == [service.config.path, proven.plan.settings, proven.plan.settings]
    assert service.n_ctx == 300
    assert service.load is proven
    assert proven.measured == {"weights": 10 * MIB, "kv": 2 * MIB, "compute": MIB}


@pytest.mark.parametrize(
    ("lane", "since_s", "hurried"),
    [
        (Lane.ASSISTANT, 1.0, True),
        (Lane.ASSISTANT, 60.0, False),
        (Lane.COMPLETION, 1.0, False),
    ],
)
async def test_the_assistant_makes_short_steps_while_somebody_types(
    service: EngineService, monkeypatch: pytest.MonkeyPatch, lane: Lane, since_s: float, hurried: bool
) -> None:
    seen: list[bool] = []

    def generate(*_: object, hurried: Callable[[], bool]) -> Iterator[Finished]:
        seen.append(hurried())
        yield Finished(StopReason.EOS, "", Timings())

    monkeypatch.setattr(module, "generate", generate)
    loaded(service, FakeModel(), n_ctx=100)
    service._lanes[Lane.ASSISTANT] = service._lanes[Lane.COMPLETION]
    service._last_infill = time.monotonic() - since_s

    [event async for event in service.run(GenerationRequest([1], 1), lane, Priority.ACTION)]

    assert seen == [hurried]


async def test_a_completion_is_what_tells_that_somebody_types(
    service: EngineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generate(*_: object, **__: object) -> Iterator[Finished]:
        yield Finished(StopReason.EOS, "", Timings())

    monkeypatch.setattr(module, "generate", generate)
    loaded(service, FakeModel(), n_ctx=100)
    service._lanes[Lane.ASSISTANT] = service._lanes[Lane.COMPLETION]
    service._last_infill = long_ago = time.monotonic() - 60

    [event async for event in service.run(GenerationRequest([1], 1), Lane.ASSISTANT, Priority.ACTION)]
    assert service._last_infill == long_ago

    [event async for event in service.run(GenerationRequest([1], 1), Lane.COMPLETION, Priority.INLINE)]
    assert service._last_infill > long_ago
