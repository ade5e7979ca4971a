"""The engine's state: a model that loads, then two lanes over its weights, and the requests they serve."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import functools
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, replace
from typing import Any

from lsp_server.engine import loading
from lsp_server.engine.chat import ChatPrompt, ChatTemplate, Message
from lsp_server.engine.checkpoints import CheckpointStore
from lsp_server.engine.config import EngineConfig
from lsp_server.engine.generation import Steps, generate
from lsp_server.engine.generation_types import Finished, GenerationRequest, Step, check
from lsp_server.engine.lanes import Lane, Priority
from lsp_server.engine.layout import Hole, Prompt, fim_prompt
from lsp_server.engine.metrics import Metrics
from lsp_server.engine.native import memory_log
from lsp_server.engine.native.context import NativeContext
from lsp_server.engine.native.library import described as machine_library
from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.neighbours import ALONE, Alone
from lsp_server.engine.niceness import lower_thread
from lsp_server.engine.pool import SequencePool
from lsp_server.engine.power import Battery
from lsp_server.engine.scheduler import BackgroundRule, Event, Job, Scheduler
from lsp_server.engine.spots import Spots
from lsp_server.engine.step_curve import Pace, StepCurve
from lsp_server.errors import EngineError, InvalidRequestError, ModelError, ModelLoadError
from lsp_server.models.catalog import FimLayout
from lsp_server.models.planning.plan import Plan

logger = logging.getLogger(__name__)

# For so long after a completion the next one is expected, and other work makes short steps.
_TYPING_S = 5.0
# How long a step of a prompt may take, then and otherwise. Half of the speed is lost where steps are as short as a
# person would like them; cancelling breaks a step off, whatever its length.
_SHORT_STEP_S, _STEP_S = 0.35, 1.0
# Room for saved states where none is needed to go back, only to begin other sequences with.
_SHARED_BYTES = 96_000_000
# Tokens that a hole's prompt leaves for the answer at least: what is read ahead is laid out as what is asked for later.
_ANSWER_ROOM = 128
# Characters a token of the context that a hole's sides may have: nobody wants the rest of a huge file tokenized.
_CHARS_PER_TOKEN = 16


class Phase(str, enum.Enum):
    """Where the engine is in its life."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class EngineService:
    """Loads the model in a thread of its own and runs generations on it."""

    def __init__(self, config: EngineConfig, layout_of: Callable[[str], FimLayout], neighbours: Alone = ALONE) -> None:
        self.config = config
        self._neighbours = neighbours
        self.phase = Phase.LOADING
        self.loaded_fraction = 0.0
        self.failure = ""
        self.last_used = time.monotonic()
        self.leaving = False
        """Set when no more requests are to be taken."""
        self.load: loading.Load | None = None
        self._layout_of = layout_of
        self._last_infill = -_TYPING_S
        self._model: NativeModel | None = None
        self._template: ChatTemplate | None = None
        self._pools: dict[Lane, SequencePool[NativeContext]] = {}
        self._curves = {lane: StepCurve() for lane in Lane}
        self._metrics = Metrics()
        self._spots = Spots()
        battery = Battery()
        self._scheduler = Scheduler(
            lambda _lane: self.plan.settings.n_seq_max,
            BackgroundRule(config.background_share, lambda: not battery.in_use()),
        )
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
        if self._template:
            self._template.close()
        if not self._scheduler.close():
            # Freed under a step that still runs, the memory would end the process; it ends anyway.
            return
        for pool in self._pools.values():
            pool.memory.close()
        if self._model:
            self._model.close()

    def _load(self) -> None:
        config = self.config
        lower_thread()
        try:
            self.load = loading.prepare(config.path, config.wishes, machine_library, self._on_trial, self._neighbours)
            with memory_log.recorded() as lines:
                model = NativeModel(config.path, self.load.plan.settings, on_progress=self._on_progress)
                self._pools[Lane.COMPLETION] = self._new_pool(model)
            self.load.compare(asdict(memory_log.parse(lines)))
            self._neighbours.loaded(self.load.plan)
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

    def _new_pool(self, model: NativeModel) -> SequencePool[NativeContext]:
        context = NativeContext(model, self.plan.settings)
        room = self.config.checkpoint_bytes
        if not context.needs_checkpoints:
            room = min(room, _SHARED_BYTES)
        return SequencePool(context, context.n_seq_max, CheckpointStore(room))

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
        return self._pools[Lane.COMPLETION].memory.n_ctx

    @property
    def stuck_s(self) -> float:
        """For how many seconds the work that goes on has given no sign of life; 0 where that is no reason to worry."""
        return self._scheduler.heartbeat.stuck_s

    @property
    def busy(self) -> int:
        """Generations that run or wait."""
        return self._scheduler.running + self._scheduler.waiting

    def slots(self) -> list[dict[str, Any]]:
        """The sequences as llama-server's ``/slots`` has them, completion first."""
        found: list[dict[str, Any]] = []
        for lane, pool in list(self._pools.items()):
            for sequence in pool.sequences:
                found.append(
                    {
                        "id": len(found),
                        "n_ctx": pool.memory.n_ctx,
                        "is_processing": pool.is_lent(sequence),
                        "n_prompt_tokens_cache": len(sequence.tokens),
                        "lane": lane.value,
                        "n_checkpoints": len(pool.checkpoints),
                        "checkpoint_bytes": pool.checkpoints.n_bytes,
                    }
                )
        return found

    def metrics_page(self) -> bytes:
        """What was counted, in Prometheus' format."""
        return self._metrics.exposition(running=self._scheduler.running, waiting=self._scheduler.waiting)

    def infill(self, hole: Hole, max_tokens: int, document: str = "", *, complete_word: bool = True) -> Prompt:
        """Lay out a hole for this model.

        Args:
            document: its prompts are kept alike as long as somebody types at one place.

        Raises:
            InvalidRequestError: the model has no fill-in-the-middle tokens.
        """
        model = self.model
        if model.fim is None:
            raise InvalidRequestError(
                f"{self.config.model_id} was not trained to fill holes.", hint="Choose a completion model."
            )
        layout = self._layout_of(model.architecture)
        if layout.order == "suffix-first":
            # Otherwise it stands behind what is typed, and is evaluated anyway.
            hole = replace(hole, suffix=self._spots.suffix(document, hole.suffix))
        most = self.n_ctx * _CHARS_PER_TOKEN
        hole = replace(hole, prefix=hole.prefix[-most:], suffix=hole.suffix[:most])
        answer = min(max(max_tokens, _ANSWER_ROOM), self.n_ctx // 2)
        budget = self.n_ctx - len(model.bos) - answer
        prompt = fim_prompt(hole, model.fim, layout, model.tokenize, budget, complete_word=complete_word)
        return prompt.behind(model.bos)

    def chat_text(self, messages: list[Message]) -> str:
        """A conversation as the model's template writes it; not on the event loop.

        Raises:
            InvalidRequestError: the model's template refuses it.
        """
        return self._chat_template.text(messages)

    def chat(self, messages: list[Message]) -> ChatPrompt:
        """Lay out a conversation for this model, which may take some seconds: not on the event loop.

        Raises:
            InvalidRequestError: the model's template refuses it.
        """
        bos = self.model.bos
        prompt = self._chat_template.prompt(messages)
        # Most templates write it themselves.
        return prompt if prompt.tokens[: len(bos)] == bos else prompt.behind(bos)

    @property
    def _chat_template(self) -> ChatTemplate:
        if self._template is None:
            self._template = ChatTemplate(self.model)
        return self._template

    async def run(
        self, request: GenerationRequest, lane: Lane, priority: Priority, document: str = ""
    ) -> AsyncIterator[Step | Finished]:
        """Queue a generation and yield its events; leaving the iterator early cancels it.

        Raises:
            InvalidRequestError: the prompt is empty or does not fit.
            EngineError: the engine is about to end, or the generation failed.
        """
        if self.leaving:
            raise EngineError("This engine is about to end.", hint="Another one takes its place.")
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event] = asyncio.Queue()

        def emit(event: Event) -> None:
            # Here, since whoever has read enough does not wait for the end.
            if isinstance(event, Finished):
                self._metrics.count(lane, event)
            elif isinstance(event, Exception):
                self._metrics.count_failure(lane)
            # The loop is closed when the process is on its way out; nobody listens then.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(events.put_nowait, event)

        model = self.model
        check(request, self.n_ctx)
        self.last_used = time.monotonic()
        limit_s = functools.partial(self._step_limit, priority)
        pace = Pace(self._curves[lane], self.plan.settings.n_batch, limit_s)
        job = Job(lane, priority, lambda stop: self._steps(model, lane, request, stop, pace), emit, document)
        if priority is Priority.INLINE:
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

    def _steps(
        self, model: NativeModel, lane: Lane, request: GenerationRequest, stop: Callable[[], bool], pace: Pace
    ) -> Steps:
        """One generation, on the sequence that suits it best. Only called in the scheduler's thread."""
        if lane not in self._pools:
            # The assistant's context is made at its first use.
            self._pools[lane] = self._new_pool(model)
        pool = self._pools[lane]
        sequence = pool.take(request.prompt)
        try:
            yield from generate(model, sequence, request, stop, pace)
        finally:
            pool.give_back(sequence)

    def _step_limit(self, priority: Priority) -> float:
        """Seconds a step of a prompt may take: few where something more urgent may come between."""
        if priority is Priority.INLINE:
            return _STEP_S
        typing = time.monotonic() - self._last_infill < _TYPING_S
        return _SHORT_STEP_S if typing or priority is Priority.BACKGROUND else _STEP_S
