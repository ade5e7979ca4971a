"""What an engine is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lsp_server.engine.lanes import Lane
from lsp_server.models.catalog import Role
from lsp_server.models.planning.plan import SEQUENCES, Wishes


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
        checkpoint_bytes: room for saved states of sequences, in each context.
        background_share: of the time, what work may take that nobody waits for (0 to 1).
    """

    model_id: str
    path: Path
    n_ctx: int
    n_gpu_layers: int
    n_threads: int
    memory_share: float = 0.85
    role: Role = "completion"
    checkpoint_bytes: int = 512_000_000
    background_share: float = 0.5

    @property
    def wishes(self) -> Wishes:
        """What the planner is asked for: whoever asks for the other role finds room for its context too."""
        return Wishes(
            role=self.role,
            n_ctx=self.n_ctx,
            n_contexts=len(Lane),
            n_sequences=SEQUENCES,
            memory_share=self.memory_share,
            reserve_bytes=len(Lane) * self.checkpoint_bytes,
            n_gpu_layers=None if self.n_gpu_layers < 0 else self.n_gpu_layers,
            n_threads=self.n_threads or None,
        )
