"""A model of DeepSeek-V4's shape, or of another, on a real GPU: ``python -m benchmarks.gpu [--model NAME]``.

First ``SHARDLIGHT_ACCELERATOR=cuda make setup`` (or vulkan, rocm, metal). Then this writes a model with as many of the
flagship's layers as the GPU holds, with random weights (routers then choose experts at random, as real ones nearly
do), and measures it: as planned; by whole layers under mmap, as one would set ``n_gpu_layers`` by hand; and both again
as if the GPU had less memory (``--caps``), where the plan keeps experts in RAM. Each runs in a process of its own, and
the table is written anew after each.

``--layers 4 --cpu`` tries the script out on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.card_rows import first_fitting, whole_layers
from benchmarks.results import write_markdown
from benchmarks.sweep import run
from lsp_server.engine.hardware import detect, installed_library
from lsp_server.engine.loading import kernel_types
from lsp_server.engine.native import memory_log
from lsp_server.engine.trial import settings_from
from lsp_server.models.blueprint import Blueprint, TensorRow, load_blueprint
from lsp_server.models.files import human_size
from lsp_server.models.hardware import GB, Hardware
from lsp_server.models.planning.anatomy import Anatomy, anatomy_of
from lsp_server.models.planning.budget import gpu_budget
from lsp_server.models.planning.placement import CPU, Share, place
from lsp_server.models.planning.plan import Wishes
from lsp_server.models.planning.planner import make_plan
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.planning.speed import Prediction
from tools.flagship import FLAGSHIP
from tools.gguf_files import write_files

N_CTX = 8192
# Of the flagship's layers the first few are of other kinds; a model of fewer would have another shape.
_LEAST_LAYERS = 4


@dataclass(frozen=True, slots=True)
class Way:
    """A way to run the model, what was predicted, and what was measured: tokens per second, bytes on the GPUs."""

    name: str
    settings: LoadSettings
    predicted: Prediction
    planned_bytes: int
    prefill: float = 0.0
    decode: float = 0.0
    allocated_bytes: int = 0
    failure: str = ""


def shortened(blueprint: Blueprint, n_layers: int) -> Blueprint:
    """The same model with its first layers only."""
    architecture = str(blueprint.metadata["general.architecture"])
    metadata: dict[str, Any] = {}
    for key, value in blueprint.metadata.items():
        metadata[key] = value[:n_layers] if isinstance(value, tuple) and key.startswith(architecture) else value
    metadata[f"{architecture}.block_count"] = n_layers
    rows = [replace(row, layers=tuple(il for il in row.layers if il < n_layers)) for row in blueprint.rows]
    kept = tuple(row for row, old in zip(rows, blueprint.rows, strict=True) if row.layers or not old.layers)
    return replace(blueprint, name=f"{blueprint.name}-{n_layers}-layers", metadata=metadata, rows=kept)


def size_of(rows: tuple[TensorRow, ...]) -> int:
    """Bytes of all tensors."""
    return sum(row.n_bytes * max(1, len(row.layers)) for row in rows)


def as_large_as_fits(full: Blueprint, room: int) -> Blueprint:
    """The largest shortened model that leaves a tenth of some room for cache and buffers."""
    most = int(full.metadata[f"{full.metadata['general.architecture']}.block_count"])  # type: ignore[arg-type]
    for n_layers in range(most, _LEAST_LAYERS, -1):
        model = shortened(full, n_layers)
        if size_of(model.rows) <= 0.9 * room:
            return model
    return shortened(full, _LEAST_LAYERS)


def capped(hardware: Hardware, n_bytes: int) -> Hardware:
    """The machine as if its GPUs had no more memory than that, each."""
    gpus = tuple(replace(g, total_bytes=n_bytes, free_bytes=min(g.free_bytes, n_bytes)) for g in hardware.gpus)
    return replace(hardware, gpus=gpus)


def ways(model: Anatomy, hardware: Hardware, label: str) -> Iterator[Way]:
    """The plan, and whole layers by hand."""
    wishes = Wishes("assistant", N_CTX)
    plan = make_plan(model, hardware, wishes)
    yield Way(f"{label}: planned", plan.settings, plan.predicted, _on_gpus(place(model, hardware, plan.settings)))
    base = replace(plan.settings, n_gpu_layers=0, tensor_split=(), cpu_moe_layers=(), load_mode="mmap", n_ubatch=512)
    by_hand = first_fitting(model, hardware, wishes, whole_layers(model, hardware, base))
    if by_hand:
        shares = place(model, hardware, by_hand.settings)
        yield Way(f"{label}: whole layers", by_hand.settings, by_hand.predicted, _on_gpus(shares))


def _on_gpus(shares: Mapping[str, Share]) -> int:
    """Bytes on all devices but the processor."""
    return sum(share.resident_bytes for name, share in shares.items() if name != CPU)


def measured(way: Way, path: Path) -> Way:
    """Run it in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.gpu", "--run", str(path), json.dumps(asdict(way.settings))]
    result = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if result.returncode != 0:
        return replace(way, failure=f"ended with code {result.returncode}")
    prefill, decode, allocated = json.loads(result.stdout)
    return replace(way, prefill=prefill, decode=decode, allocated_bytes=allocated)


def measure(path: Path, settings: LoadSettings) -> tuple[float, float, int]:
    """Prefill and decode in tokens per second, and the bytes of all buffers that are not in RAM."""
    with memory_log.recorded() as lines:
        # Two steps at least, or what the plan makes steps long for would not show.
        prefill, decode = run(path, settings, 2 * settings.n_ubatch)
    found = memory_log.parse(lines)
    buffers = [*found.weights.items(), *found.cache_buffers.items(), *found.compute.items()]
    return prefill, decode, sum(n_bytes for name, n_bytes in buffers if not name.startswith(("CPU", "CUDA_Host")))


def table(found: list[Way]) -> list[str]:
    """The figures, in Markdown."""
    lines = [
        "| | settings | prefill tok/s | predicted | decode tok/s | predicted | on the GPU | planned |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for way in found:
        s = way.settings
        text = f"{s.n_gpu_layers} layers, experts of {len(s.cpu_moe_layers)} in RAM, step {s.n_ubatch}, {s.load_mode}"
        cells = (
            f"{way.prefill:.0f} | {way.predicted.prefill:.0f} | {way.decode:.1f} | {way.predicted.decode:.1f}"
            f" | {human_size(way.allocated_bytes)}"
            if not way.failure
            else f"{way.failure} | {way.predicted.prefill:.0f} | | {way.predicted.decode:.1f} |"
        )
        lines.append(f"| {way.name} | {text} | {cells} | {human_size(way.planned_bytes)} |")
    return lines


def main() -> int:
    """Write the model, measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the model goes (default: a temporary folder)")
    parser.add_argument("--model", default=FLAGSHIP, help=f"whose shape it has (default: {FLAGSHIP})")
    parser.add_argument("--layers", type=int, help="layers of the model (default: as many as the GPU holds)")
    parser.add_argument("--caps", default="12,24", help="GPU memory to pretend, in GB, comma separated")
    parser.add_argument("--cpu", action="store_true", help="go on without a GPU, to try this script out")
    parser.add_argument("--run", nargs=2, metavar=("PATH", "JSON"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        sys.stdout.write(json.dumps(measure(Path(options.run[0]), settings_from(json.loads(options.run[1])))))
        return 0
    library = installed_library()
    hardware = detect(None, library=library)
    if not hardware.gpus and not options.cpu:
        sys.stderr.write("llama.cpp sees no GPU. SHARDLIGHT_ACCELERATOR=cuda make setup compiles it for one.\n")
        return 1
    full = load_blueprint(options.model)
    room = sum(gpu_budget(gpu) for gpu in hardware.gpus)
    blueprint = shortened(full, options.layers) if options.layers else as_large_as_fits(full, room)
    model = anatomy_of(blueprint.shard_set())
    hardware = detect(None, types=kernel_types(model), library=library)
    names = ", ".join(f"{g.name} {g.description} ({human_size(g.total_bytes)})" for g in hardware.gpus) or "no GPU"
    size = human_size(size_of(blueprint.rows))
    head = f"{blueprint.name}, {size}, on {names}; llama-cpp-python {library.version}."
    name = ("gpu" if hardware.gpus else "gpu-trial") + ("" if options.model == FLAGSHIP else f"-{options.model}")
    command = "python -m benchmarks.gpu" + ("" if options.model == FLAGSHIP else f" --model {options.model}")
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        sys.stderr.write(f"Writing {size} of random weights …\n")
        path = write_files(blueprint, Path(scratch), random=True)[0]
        every = [*ways(model, hardware, "all memory")]
        for cap in options.caps.split(",") if hardware.gpus else []:
            if int(cap) * GB < hardware.gpus[0].total_bytes:
                every += ways(model, capped(hardware, int(cap) * GB), f"{cap} GB")
        found = []
        for way in every:
            sys.stderr.write(f"{way.name} …\n")
            found.append(measured(way, path))
            write_markdown(name, command, [head, "", *table(found)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
