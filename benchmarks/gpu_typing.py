"""Typing with a model of DeepSeek-V4's shape on a real GPU: ``python -m benchmarks.gpu_typing [--folder DIR]``.

Writes as many of the flagship's layers as the GPU holds, with random weights, has the engine load them as planned for
this machine, and asks for a suggestion after every letter of some lines. The suggestions are noise; what each costs
is not.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.gpu import as_large_as_fits, shortened, size_of
from benchmarks.results import write_markdown
from lsp_server.engine import generation, runtime
from lsp_server.engine.hardware import detect
from lsp_server.inference.launcher import EngineSpec, attach
from lsp_server.models.blueprint import load_blueprint
from lsp_server.models.files import human_size
from lsp_server.models.planning.budget import gpu_budget
from tools.flagship import FLAGSHIP
from tools.gguf_files import write_files

N_CTX = 16384
_TYPED = "        remaining = self._budget - len(self._tokens)\n        if remaining <= 0:\n            return None\n"
_ANSWER = 16
_SOURCE = Path(generation.__file__).read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request cost: prompt tokens evaluated and reused, and milliseconds until they were, and in all."""

    evaluated: int
    reused: int
    prompt_ms: float
    total_ms: float


async def typing(path: Path) -> tuple[Asked, list[Asked], dict[str, Any]]:
    """The first request in a file, those of the typed letters, and what the engine says of itself."""
    spec = EngineSpec(FLAGSHIP, path, N_CTX, n_gpu_layers=-1, n_threads=0, port=0, idle_minutes=10)
    await (await attach(spec)).aclose()
    record = runtime.read(spec.name)
    if record is None:
        raise RuntimeError("the engine has gone")
    middle = len(_SOURCE) * 2 // 3
    prefix, suffix = _SOURCE[:middle], _SOURCE[middle:]
    async with httpx.AsyncClient(base_url=record.url, headers=record.headers, timeout=300, trust_env=False) as client:
        props = (await client.get("/props")).json()
        await _fill(client, "x = ", "\n", "warm")
        cold = await _fill(client, prefix, suffix, "typed")
        letters = [await _fill(client, prefix + _TYPED[:n], suffix, "typed") for n in range(1, len(_TYPED) + 1)]
        await client.post("/shutdown")
    await asyncio.to_thread(psutil.Process(record.pid).wait, 60)
    return cold, letters, props


async def _fill(client: httpx.AsyncClient, prefix: str, suffix: str, document: str) -> Asked:
    body = {"input_prefix": prefix, "input_suffix": suffix, "n_predict": _ANSWER, "document": document}
    begun = time.perf_counter()
    response = await client.post("/infill", json=body)
    response.raise_for_status()
    total = (time.perf_counter() - begun) * 1000
    timings = response.json()["timings"]
    return Asked(timings["prompt_n"], timings["cache_n"], timings["prompt_ms"], total)


def table(cold: Asked, letters: Sequence[Asked]) -> list[str]:
    """The figures, in Markdown."""
    evaluated = sorted(one.evaluated for one in letters)
    ms = sorted(one.prompt_ms for one in letters)
    total = statistics.median(one.total_ms for one in letters)
    middle, last, whole = len(letters) // 2, int(0.95 * len(letters)), letters[-1].evaluated + letters[-1].reused
    return [
        "| | prompt tokens evaluated | of | ms for the prompt | ms in all |",
        "|---|--:|--:|--:|--:|",
        _row("the first in the file", cold.evaluated, cold.evaluated + cold.reused, cold.prompt_ms, cold.total_ms),
        _row(f"a letter, median of {len(letters)}", evaluated[middle], whole, ms[middle], total),
        _row("a letter, p95", evaluated[last], whole, ms[last], sorted(one.total_ms for one in letters)[last]),
    ]


def _row(name: str, evaluated: int, whole: int, prompt_ms: float, total_ms: float) -> str:
    return f"| {name} | {evaluated} | {whole} | {prompt_ms:.0f} | {total_ms:.0f} |"


def main() -> int:
    """Write the model, type, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the model goes (default: a temporary folder)")
    parser.add_argument("--layers", type=int, help="layers of the model (default: as many as the GPU holds)")
    options = parser.parse_args()
    hardware = detect(None)
    full = load_blueprint(FLAGSHIP)
    room = sum(gpu_budget(gpu) for gpu in hardware.gpus)
    blueprint = shortened(full, options.layers) if options.layers else as_large_as_fits(full, room)
    size = human_size(size_of(blueprint.rows))
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        sys.stderr.write(f"Writing {size} of random weights …\n")
        path = write_files(blueprint, Path(scratch), random=True)[0]
        cold, letters, props = asyncio.run(typing(path))
    names = ", ".join(gpu.description for gpu in hardware.gpus) or "no GPU"
    n_gpu_layers = props.get("plan", {}).get("settings", {}).get("n_gpu_layers")
    head = f"{blueprint.name}, {size}, {n_gpu_layers} layers on {names}; each answer has {_ANSWER} tokens."
    name = "gpu-typing" if hardware.gpus else "gpu-typing-trial"
    write_markdown(name, "python -m benchmarks.gpu_typing", [head, "", *table(cold, letters)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
