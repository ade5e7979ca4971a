"""What a plan decides: the parameters of llama.cpp, by llama.cpp's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LoadMode = Literal["mmap", "none", "mlock"]

MOST_OUTPUTS = 16
"""Rows of logits that a step can have: an answer's next token, and those that were guessed ahead of it."""


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How a model is loaded and its contexts are made.

    Attributes:
        n_gpu_layers: layers on devices other than the CPU, counted from the last; the output counts as one more.
        tensor_split: how many of these each device gets; empty with less than two devices.
        cpu_moe_layers: layers whose experts stay in RAM although the layer itself is on a device.
        n_ctx: tokens a sequence.
        n_seq_max: sequences a context; each has a stream of its own.
        n_contexts: contexts over the same weights (completion and assistant).
        type_k, type_v: of the key/value cache, ``F16`` or ``Q8_0``.
        n_batch, n_ubatch: most tokens a step, and a graph.
        n_outputs_max: positions of a step whose logits are kept; without it llama.cpp reserves room for all of them.
        n_threads, n_threads_batch: for single tokens, and for more.
        load_mode: ``mmap`` shares pages with other processes and gives them back under pressure; ``none`` reads into
            memory (pinned where a GPU reads it); ``mlock`` also keeps it from being swapped.
        numa: spread threads and memory over NUMA nodes.
        use_extra_bufts: let the CPU keep repacked weights.
        swa_full: keep the whole context for layers that look back through a window only; never needed here.
    """

    n_gpu_layers: int
    n_ctx: int
    n_ubatch: int
    n_threads: int
    n_threads_batch: int
    tensor_split: tuple[int, ...] = ()
    cpu_moe_layers: tuple[int, ...] = ()
    n_seq_max: int = 1
    n_contexts: int = 1
    type_k: str = "F16"
    type_v: str = "F16"
    flash_attn: bool = True
    swa_full: bool = False
    load_mode: LoadMode = "mmap"
    numa: bool = False
    use_extra_bufts: bool = True
    n_outputs_max: int = MOST_OUTPUTS

    @property
    def n_batch(self) -> int:
        """The engine evaluates a prompt in steps of one graph each, so that it can stop in between."""
        return self.n_ubatch

    @property
    def tensor_overrides(self) -> tuple[str, ...]:
        """Patterns of the tensors that stay in RAM, as ``--override-tensor PATTERN=CPU`` takes them."""
        if not self.cpu_moe_layers:
            return ()
        return (rf"blk\.({'|'.join(map(str, self.cpu_moe_layers))})\.ffn_(up|down|gate|gate_up)_(ch|)exps",)
