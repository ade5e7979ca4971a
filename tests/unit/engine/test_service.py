from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from lsp_server.engine import service as module
from lsp_server.engine.generation import GenerationRequest
from lsp_server.engine.layout import Hole
from lsp_server.engine.native.model import FimTokens
from lsp_server.engine.scheduler import Lane, Priority
from lsp_server.engine.sequence import CachedSequence
from lsp_server.engine.service import EngineConfig, EngineService, Phase
from lsp_server.errors import InvalidRequestError, ModelLoadError
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

    monkeypatch.setattr(module, "proven_settings", fail)

    load(service)

    assert service.phase is Phase.FAILED
    assert str(error) in service.failure
    with pytest.raises(ModelLoadError, match=str(error)):
        _ = service.model


def test_a_file_that_is_not_there_is_a_failed_load(service: EngineService) -> None:
    load(service)

    assert service.phase is Phase.FAILED
    assert "small.gguf" in service.failure


class FakeModel:
    """A vocabulary of characters."""

    architecture = "any"
    fim: FimTokens | None = FimTokens(-1, -2, -3, None, None)
    bos: ClassVar[list[int]] = [-9]

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
