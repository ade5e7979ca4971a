"""Saved states in which one bit is not as it was, and what it would cost to notice."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lsp_server.engine.native.context import NativeContext, Part
from lsp_server.engine.native.model import NativeModel
from lsp_server.models.planning.settings import LoadSettings

_CODE = "def area(width, height):\n    return width * height\n\n\n"


def measure(path: Path, times: int, n_tokens: int = 1500) -> list[str]:
    """Lines of a table: bits anywhere in a state, and among its first bytes, which say what is where in it."""
    settings = LoadSettings(n_gpu_layers=0, n_ctx=2 * n_tokens, n_ubatch=512, n_threads=2, n_threads_batch=2)
    model = NativeModel(path, settings, on_progress=lambda _fraction: True)
    context = NativeContext(model, settings)
    tokens = model.tokenize(_CODE * n_tokens)[:n_tokens]
    for begin in range(0, n_tokens, context.n_batch):
        context.decode([Part(0, tokens[begin : begin + context.n_batch], begin)])
    state = context.save(0, partial=False)
    chance = random.Random(1)

    def goes_on(state: npt.NDArray[np.uint8]) -> int | None:
        """The likeliest next token behind a state; None where llama.cpp refuses it."""
        if not context.restore(0, state, n_tokens, partial=False):
            context.clear(0)
            return None
        context.decode([Part(0, [tokens[0]], n_tokens, 1)])
        return int(np.argmax(context.logits()))

    right = goes_on(state)
    lines = ["| one bit flipped | times | refused | the same next token | another one |", "|---|---|---|---|---|"]
    for name, n_bytes in (("anywhere", state.size), ("in the first 400 bytes", 400)):
        found = []
        for _ in range(times):
            damaged = state.copy()
            damaged[chance.randrange(n_bytes)] ^= np.uint8(1 << chance.randrange(8))
            found.append(goes_on(damaged))
        refused, same = found.count(None), found.count(right)
        lines.append(f"| {name} | {times} | {refused} | {same} | {times - refused - same} |")
    restore_ms = _milliseconds(lambda: context.restore(0, state, n_tokens, partial=False))
    crc_ms = _milliseconds(lambda: zlib.crc32(state.data))
    cost = f"To take it back takes {restore_ms:.1f} ms, its CRC-32 {crc_ms:.1f} ms, which would be made twice."
    return [*lines, "", f"A state of {n_tokens} tokens has {state.nbytes / 1e6:.1f} MB. {cost}"]


def _milliseconds(work: Callable[[], object]) -> float:
    """The shortest of some tries."""
    took = []
    for _ in range(9):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took) * 1000
