"""The engine's service without a process or a wire around it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import TracebackType

from lsp_server.engine.config import EngineConfig
from lsp_server.engine.generation_types import GenerationRequest, Step
from lsp_server.engine.lanes import Lane, Priority
from lsp_server.engine.layout import Hole
from lsp_server.engine.sampling import SamplingParams
from lsp_server.engine.service import EngineService, Phase
from lsp_server.models.catalog import Catalog


class InProcess:
    """A service that loads when it is entered."""

    def __init__(self, model: Path, n_ctx: int) -> None:
        config = EngineConfig("benchmark", model, n_ctx, n_gpu_layers=0, n_threads=0)
        self._service = EngineService(config, Catalog.load().fim_layout)

    async def __aenter__(self) -> InProcess:
        self._service.start()
        await asyncio.to_thread(self._wait)
        if self._service.phase is Phase.FAILED:
            raise RuntimeError(self._service.failure)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service.close()

    def _wait(self) -> None:
        while self._service.phase is Phase.LOADING:
            time.sleep(0.05)

    async def ttft_ms(self, prefix: str, suffix: str) -> float:
        """Milliseconds to the first text of a completion; it is waited for until it is over."""
        begun = time.perf_counter()
        first = 0.0
        prompt = self._service.infill(Hole(prefix, suffix), 2)
        request = GenerationRequest(
            prompt=prompt.tokens,
            max_tokens=2,
            sampling=SamplingParams(ignore_eos=True),
            drop_prefix=prompt.indentation,
            begun_word=prompt.begun_word,
        )
        async for event in self._service.run(request, Lane.COMPLETION, Priority.INLINE, "in-process"):
            if isinstance(event, Step) and event.text and not first:
                first = time.perf_counter()
        return (first - begun) * 1000
