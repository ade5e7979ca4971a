"""The outcome of planning: what is asked for, what was decided, what it takes, how fast it will be, and why."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lsp_server.models.catalog import Role
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.planning.speed import Prediction

Verdict = Literal["fits", "from disk"]

SEQUENCES = 4
"""What the engine wishes for: places in code that are gone back to, and windows that ask at the same time."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user asks for.

    Attributes:
        role: what the model is for; it decides which speed counts.
        n_ctx: tokens a sequence.
        n_contexts: contexts over the weights; two where one model completes and assists.
        n_sequences: sequences a context at most; fewer where their caches would take too much.
        memory_share: of the available RAM, what may be used (0 to 1).
        reserve_bytes: of that, what something else may take (saved states of sequences).
        n_gpu_layers, n_threads: None to have them planned.
    """

    role: Role = "assistant"
    n_ctx: int = 8192
    n_contexts: int = 1
    n_sequences: int = 1
    memory_share: float = 0.85
    reserve_bytes: int = 0
    n_gpu_layers: int | None = None
    n_threads: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """Bytes on one device, and how many may be used there."""

    name: str
    description: str
    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    budget_bytes: int

    @property
    def n_bytes(self) -> int:
        """Bytes in all."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is run on a machine.

    Attributes:
        verdict: ``from disk`` where the weights exceed the memory and are read again and again.
        reasons: why it is so, a sentence each.
        suggestions: what would be better, a sentence each; empty where nothing is to be desired.
        exact: whether cache and compute buffers are llama.cpp's own figures, not formulas.
    """

    model: str
    hardware: str
    wishes: Wishes
    settings: LoadSettings
    devices: tuple[DeviceUse, ...]
    predicted: Prediction
    verdict: Verdict
    reasons: tuple[str, ...]
    suggestions: tuple[str, ...] = ()
    exact: bool = False

    def as_json(self) -> dict[str, Any]:
        """The plan in JSON's types: ``devices``, ``settings`` and ``predicted`` besides the rest; null: unknown."""
        settings = asdict(self.settings)
        for name in ("n_batch", "tensor_overrides"):
            settings[name] = getattr(self.settings, name)
        return {
            "model": self.model,
            "hardware": self.hardware,
            "verdict": self.verdict,
            "exact": self.exact,
            "devices": [{**asdict(device), "total_bytes": device.n_bytes} for device in self.devices],
            "settings": settings,
            "predicted": {
                "decode_tokens_per_s": self.predicted.decode,
                "prefill_tokens_per_s": self.predicted.prefill,
                "decode_costs_s": {
                    cost.what: cost.seconds if math.isfinite(cost.seconds) else None
                    for cost in self.predicted.decode_costs
                },
            },
            "reasons": list(self.reasons),
            "suggestions": list(self.suggestions),
        }
