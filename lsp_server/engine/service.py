"""The engine's state: a model that loads, then two lanes over its weights, and the requests they serve."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lsp_server.engine import loading
from lsp_server.engine.chat import ChatTemplate, Message
from lsp_server.engine.generation import Finished, GenerationRequest, Step, generate
from lsp_server.engine.layout import Hole, Prompt, fim_prompt
from lsp_server.engine.native import memory_log
from lsp_server.engine.native.context import NativeContext
from lsp_server.engine.native.library import described as machine_library
from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.scheduler import Event, Job, Lane, Priority, Scheduler
from lsp_server.engine.sequence import CachedSequence
from lsp_server.errors import EngineError, InvalidRequestError, ModelError, ModelLoadError
from lsp_server.models.catalog import FimLayout, Role
from lsp_server.models.planning.plan import Plan, Wishes

logger = logging.getLogger(__name__)

# For so long after a completion the next one is expected, and other work makes short steps.
_TYPING_S = 5.0


class Phase(str, enum.Enum):
    """Where the engine is in its life."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What the engine is started with.

    Attributes:
        model_id: the name the user chose.
        path: the GGUF, or the first of its shards.
        n_gpu_layers: -1 to have it planned.
        n_threads: 0 to have it planned.
        memory_share: of the available RAM, what may be used (0 to 1).
        role: what it is planned for.
    """

    model_id: str
    path: Path
    n_ctx: int
    n_gpu_layers: int
    n_threads: int
    memory_share: float = 0.85
    role: Role = "completion"

    @property
    def wishes(self) -> Wishes:
        """What the planner is asked for: whoever asks for the other role finds room for its context too."""
        return Wishes(
            role=self.role,
            n_ctx=self.n_ctx,
            n_contexts=len(Lane),
            memory_share=self.memory_share,
            n_gpu_layers=None if self.n_gpu_layers < 0 else self.n_gpu_layers,
            n_threads=self.n_threads or None,
        )


class EngineService:
    """Loads the model in a thread of its own and runs generations on it."""

    def __init__(self, config: EngineConfig, layout_of: Callable[[str], FimLayout]) -> None:
        self.config = config
        self.phase = Phase.LOADING
        self.loaded_fraction = 0.0
        self.failure = ""
        self.last_used = time.monotonic()
        self.load: loading.Load | None = None
        self._layout_of = layout_of
        self._last_infill = 0.0
        self._model: NativeModel | None = None
        self._template: ChatTemplate | None = None
        self._lanes: dict[Lane, CachedSequence[NativeContext]] = {}
        self._scheduler = Scheduler()
        self._tried = False
        self._closing = False
        self._loader = threading.Thread(target=self._load, name="loader", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._loader.start()

    def close(self) -> None:
        """Stop everything and free the weights."""
        self._closing = True
        if self._loader.is_alive():
            self._loader.join(timeout=10)
        self._scheduler.close()
        for sequence in self._lanes.values():
            sequence.memory.close()
        if self._model:
            self._model.close()

    def _load(self) -> None:
        config = self.config
        try:
            self.load = loading.prepare(config.path, config.wishes, machine_library(), self._on_trial)
            with memory_log.recorded() as lines:
                model = NativeModel(config.path, self.load.plan.settings, on_progress=self._on_progress)
                self._lanes[Lane.COMPLETION] = self._new_sequence(model)
            self.load.compare(asdict(memory_log.parse(lines)))
            # What a first request would have to wait for.
            _ = model.special_texts, model.continuations(b" ")
            self._template = ChatTemplate(model)
            self._model = model
        except (EngineError, ModelError, OSError) as error:
            logger.error("The model could not be loaded: %s", error)
            self._fail(str(error))
            return
        except Exception as error:
            # Whatever it was, somebody waits for the outcome.
            logger.exception("Loading failed unexpectedly")
            self._fail(f"The engine failed while loading: {error}")
            return
        self.loaded_fraction = 1.0
        self.last_used = time.monotonic()
        self.phase = Phase.READY
        logger.info("Ready: %s", config.model_id)

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self.last_used = time.monotonic()
        self.phase = Phase.FAILED

    def _on_trial(self, fraction: float) -> bool:
        """A model that never was loaded here is read twice."""
        self._tried = True
        self.loaded_fraction = fraction / 2
        return not self._closing

    def _on_progress(self, fraction: float) -> bool:
        self.loaded_fraction = (1 + fraction) / 2 if self._tried else fraction
        return not self._closing

    def _new_sequence(self, model: NativeModel) -> CachedSequence[NativeContext]:
        return CachedSequence(NativeContext(model, self.plan.settings))

    @property
    def plan(self) -> Plan:
        """The plan that the model was loaded by.

        Raises:
            ModelLoadError: there is none yet.
        """
        if self.load is None:
            raise ModelLoadError(self.failure or "The model is still loading.")
        return self.load.plan

    @property
    def model(self) -> NativeModel:
        """The loaded model.

        Raises:
            ModelLoadError: there is none, with the reason.
        """
        if self._model is None:
            raise ModelLoadError(self.failure or "The model is still loading.")
        return self._model

    @property
    def n_ctx(self) -> int:
        """Context length in tokens, as llama.cpp allocated it."""
        return self._lanes[Lane.COMPLETION].memory.n_ctx

    @property
    def busy(self) -> int:
        """Generations that run or wait."""
        return self._scheduler.busy

    def infill(self, hole: Hole, max_tokens: int, *, complete_word: bool = True) -> Prompt:
        """Lay out a hole for this model.

        Raises:
            InvalidRequestError: the model has no fill-in-the-middle tokens.
        """
        model = self.model
        if model.fim is None:
            raise InvalidRequestError(
                f"{self.config.model_id} was not trained to fill holes.", hint="Choose a completion model."
            )
        # A prompt must leave room for a token even where none is asked for.
        answer = min(max(max_tokens, 1), self.n_ctx // 2)
        budget = self.n_ctx - len(model.bos) - answer
        prompt = fim_prompt(
            hole, model.fim, self._layout_of(model.architecture), model.tokenize, budget, complete_word=complete_word
        )
        return replace(prompt, tokens=model.bos + prompt.tokens)

    def chat(self, messages: list[Message]) -> list[int]:
        """Lay out a conversation for this model. Raises InvalidRequestError if its template refuses."""
        model = self.model
        template = self._template or ChatTemplate(model)
        return template.prompt(messages)

    async def run(
        self, request: GenerationRequest, lane: Lane, priority: Priority, document: str = ""
    ) -> AsyncIterator[Step | Finished]:
        """Queue a generation and yield its events; leaving the iterator early cancels it.

        Raises:
            EngineError: from the generation.
        """
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event] = asyncio.Queue()

        def emit(event: Event) -> None:
            # The loop is closed when the process is on its way out; nobody listens then.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(events.put_nowait, event)

        model = self.model

        def steps(stop: Callable[[], bool]) -> Iterator[Step | Finished]:
            return generate(model, self._sequence(lane), request, stop, hurried=lambda: self._somebody_types(lane))

        job = Job(lane, priority, steps, emit, document)
        self.last_used = time.monotonic()
        if lane is Lane.COMPLETION:
            self._last_infill = self.last_used
        self._scheduler.submit(job)
        try:
            while True:
                event = await events.get()
                if isinstance(event, Exception):
                    raise event
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            job.cancel()
            self.last_used = time.monotonic()

    def _somebody_types(self, lane: Lane) -> bool:
        """Whether a job of a lane has to expect that a completion comes between."""
        return lane is not Lane.COMPLETION and time.monotonic() - self._last_infill < _TYPING_S

    def _sequence(self, lane: Lane) -> CachedSequence[NativeContext]:
        """The lane's sequence; the assistant's is made at its first use. Only called in the scheduler's thread."""
        if lane not in self._lanes:
            self._lanes[lane] = self._new_sequence(self.model)
        return self._lanes[lane]
