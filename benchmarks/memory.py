"""Planned bytes against real ones: ``make memory``, or ``python -m benchmarks.memory [--full]``.

For each model and setting three figures: the formulas' (as for a machine that is not here), llama.cpp's own for a load
that is only simulated (as plans for this machine are made), and those of a real load. ``--full`` has the flagship's
full-size stand-in too (sparse files; 24 GB of RAM and some minutes). The table goes into docs/hardware.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.results import insert, write_markdown
from lsp_server.engine import processor
from lsp_server.engine.hardware import installed_library
from lsp_server.engine.loading import totals
from lsp_server.engine.trial import settings_from, simulated
from lsp_server.models.catalog import Catalog
from lsp_server.models.gguf.shard_set import open_set
from lsp_server.models.hardware import Cpu, Hardware
from lsp_server.models.planning.anatomy import anatomy_of
from lsp_server.models.planning.placement import place
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import store_from
from tests.support.tiny import write_tiny_deepseek4
from tools import flagship

_KINDS = ("weights", "kv", "compute")
# What the project promises: shares by which plan and reality may differ.
ALLOWED = {"weights": 0.02, "kv": 0.02, "compute": 0.15}


@dataclass(frozen=True, slots=True)
class Row:
    """One model under one setting; bytes by purpose."""

    model: str
    settings: LoadSettings
    formula: dict[str, int]
    simulated: dict[str, int]
    real: dict[str, int]

    def off(self, kind: str, planned: dict[str, int]) -> float:
        """By what share a planned figure differs from the real one."""
        return planned[kind] / self.real[kind] - 1

    @property
    def kept(self) -> bool:
        """Whether all figures are as close as is promised."""
        return all(
            abs(self.off(kind, planned)) <= ALLOWED[kind]
            for kind in _KINDS
            for planned in (self.formula, self.simulated)
        )


def rows(name: str, path: Path, every: Sequence[LoadSettings], build_id: str) -> list[Row]:
    """Measure one model under some settings, which differ in their contexts only."""
    model = anatomy_of(open_set(path))
    real = _real(path, every)
    found = []
    for settings, allocated in zip(every, real, strict=True):
        pretended = simulated(path, settings, build_id)
        if pretended is None:
            raise SystemExit(f"llama.cpp did not live to tell the sizes of {path}.")
        shares = place(model, _elsewhere(), settings).values()
        formula = {
            "weights": sum(share.weights_bytes for share in shares),
            "kv": sum(share.kv_bytes for share in shares),
            "compute": sum(share.compute_bytes for share in shares),
        }
        # A simulated load knows no buffers of weights: those are the formulas' in every plan.
        known = {**totals(pretended), "weights": formula["weights"]}
        found.append(Row(name, settings, formula, known, allocated))
    return found


def _elsewhere() -> Hardware:
    """A machine like this one, of which nothing has been measured."""
    cpu = Cpu("any", 2, processor.features(), 1, 40e9)
    return Hardware("elsewhere", cpu, 1 << 40, 1 << 40)


def _real(path: Path, every: Sequence[LoadSettings]) -> list[dict[str, int]]:
    """What a process that loads the model and makes each context in turn allocates."""
    command = [sys.executable, "-m", "benchmarks.memory", "--load", str(path)]
    command.append(
        json.dumps([{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(s).items()} for s in every])
    )
    result = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    found: list[dict[str, int]] = json.loads(result.stdout)
    return found


def _load(path: Path, every: Sequence[LoadSettings]) -> list[dict[str, int]]:
    from lsp_server.engine.native import memory_log
    from lsp_server.engine.native.context import NativeContext, Part
    from lsp_server.engine.native.model import NativeModel

    with memory_log.recorded() as lines:
        model = NativeModel(path, every[0])
    found = []
    for settings in every:
        with memory_log.recorded() as more:
            context = NativeContext(model, settings)
            context.decode([Part(0, [1, 2, 3], 0, n_outputs=1)])
            context.close()
        found.append(totals(asdict(memory_log.parse([*lines, *more]))))
    return found


def _settings(n_ctx: int, **changes: Any) -> LoadSettings:
    threads = processor.default_threads()
    base = LoadSettings(n_gpu_layers=0, n_ctx=n_ctx, n_ubatch=512, n_threads=threads, n_threads_batch=threads)
    return replace(base, **changes)


def _mib(size: int) -> str:
    return f"{size / 2**20:,.2f}"


def table(found: Sequence[Row]) -> list[str]:
    """The comparison, in Markdown."""
    lines = ["| model | context | sequences | cache | step | | real, MiB | formulas | off | simulated | off |"]
    lines += ["|---|--:|--:|---|--:|---|--:|--:|--:|--:|--:|"]
    for row in found:
        s = row.settings
        for i, kind in enumerate(_KINDS):
            head = f"{row.model} | {s.n_ctx:,} | {s.n_seq_max} | {s.type_k} | {s.n_ubatch}" if i == 0 else " | | | | "
            cells = [
                f"{_mib(planned[kind])} | {row.off(kind, planned):+.1%}" for planned in (row.formula, row.simulated)
            ]
            lines.append(f"| {head} | {kind} | {_mib(row.real[kind])} | {' | '.join(cells)} |")
    kept = sum(row.kept for row in found)
    lines += ["", f"{kept} of {len(found)} rows are within 2 % (weights, cache) and 15 % (compute buffers)."]
    return lines


def main() -> int:
    """Measure, print, write; 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="with the flagship's full-size stand-in")
    parser.add_argument("--load", nargs=2, metavar=("PATH", "JSON"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        every = [settings_from(fields) for fields in json.loads(options.load[1])]
        sys.stdout.write(json.dumps(_load(Path(options.load[0]), every)))
        return 0
    build_id = installed_library().build_id
    store = store_from("", registry_mirror=False)
    small = store.locate(parse_ref("qwen2.5-coder-0.5b", Catalog.load())).path
    contexts = (2048, 8192, 16384, 32768)
    every = [_settings(n, type_k=kind, type_v=kind) for kind in ("F16", "Q8_0") for n in contexts]
    every += [_settings(8192, n_ubatch=64), _settings(8192, n_seq_max=4)]
    found = rows("Qwen2.5-Coder 0.5B", small, every, build_id)
    with tempfile.TemporaryDirectory() as folder:
        tiny = write_tiny_deepseek4(Path(folder))
        every = [_settings(n, n_ubatch=b, n_seq_max=s) for n, b, s in ((1024, 64, 1), (4096, 512, 1), (4096, 512, 4))]
        found += rows("tiny DeepSeek-V4", tiny, every, build_id)
    if options.full:
        with tempfile.TemporaryDirectory() as folder:
            full = flagship.write(Path(folder))[0]
            sizes = (8192, 32768, 131072, 1048576)
            # A copy of rearranged weights is what 24 GB have no room for.
            every = [_settings(n, n_ubatch=64, use_extra_bufts=False) for n in sizes]
            found += rows("DeepSeek-V4-Flash, full size", full, every, build_id)
    lines = table(found)
    command = "python -m benchmarks.memory" + (" --full" if options.full else "")
    write_markdown("memory", command, lines)
    insert("docs/hardware.md", "memory", command, lines)
    return 0 if all(row.kept for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
