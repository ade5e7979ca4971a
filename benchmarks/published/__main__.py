"""Hold predictions against what others have measured: ``python -m benchmarks.published``.

Nothing is run: ``measurements.toml`` has machines, settings and figures with their sources, the models are blueprints.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import insert, write_markdown
from lsp_server.models.blueprint import parse_blueprint
from lsp_server.models.catalog import Catalog
from lsp_server.models.hardware import Hardware, parse_table
from lsp_server.models.planning.anatomy import Anatomy, anatomy_of
from lsp_server.models.planning.auto import catalog_anatomy
from lsp_server.models.planning.placement import place
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.planning.speed import Prediction, predict

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measurement and its prediction; tokens per second, prefill 0 where it was not measured."""

    use: str
    machine: str
    model: str
    source: str
    measured_decode: float
    measured_prefill: float
    predicted: Prediction

    @property
    def decode_error(self) -> float:
        """How far the prediction is off, as a share of what was measured."""
        return self.predicted.decode / self.measured_decode - 1

    @property
    def prefill_error(self) -> float | None:
        """The same for prompts; None where they were not measured."""
        return self.predicted.prefill / self.measured_prefill - 1 if self.measured_prefill else None


def comparisons() -> list[Comparison]:
    """All measurements, predicted."""
    data = tomllib.loads((HERE / "measurements.toml").read_text(encoding="utf-8"))
    machines = {name: parse_table(table, f"measurements.toml, {name}") for name, table in data["machines"].items()}
    return [_compare(entry, machines[entry["machine"]]) for entry in data["measurements"]]


def _compare(entry: Mapping[str, Any], hardware: Hardware) -> Comparison:
    model = _model(entry["model"])
    settings = _settings(entry, model, hardware)
    predicted = predict(model, hardware, settings, place(model, hardware, settings), depth=entry["depth"])
    return Comparison(
        entry["use"],
        hardware.name,
        model.card.name,
        entry["source"],
        entry["decode"],
        entry.get("prefill", 0.0),
        predicted,
    )


def _model(name: str) -> Anatomy:
    if name in Catalog.load():
        return catalog_anatomy(name)
    text = (HERE / f"{name}.model.toml").read_text(encoding="utf-8")
    return anatomy_of(parse_blueprint(text, name).shard_set())


def _settings(entry: Mapping[str, Any], model: Anatomy, hardware: Hardware) -> LoadSettings:
    said = entry["settings"]
    kept = said.get("cpu_moe_layers", 0)
    threads = said.get("n_threads", hardware.cpu.physical_cores)
    return LoadSettings(
        n_gpu_layers=said["n_gpu_layers"],
        n_ctx=max(4096, 2 * entry.get("prompt", 512)),
        # llama-bench and llama-server evaluate no more at once than there is.
        n_ubatch=min(said.get("n_ubatch", 512), entry.get("prompt", 512)),
        n_threads=threads,
        n_threads_batch=threads,
        cpu_moe_layers=tuple(range(model.n_layers if kept == "all" else kept)),
        load_mode=said.get("load_mode", "mmap"),
        use_extra_bufts=not said["n_gpu_layers"],
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:+.0%}"


def main() -> int:
    """Print and write the tables."""
    found = comparisons()
    lines = []
    for use in ("validation", "calibration"):
        lines += [f"### {use.capitalize()}", ""]
        lines += [
            "| machine | model | decode measured | predicted | off | prefill measured | predicted | off | source |"
        ]
        lines += ["|---|---|--:|--:|--:|--:|--:|--:|---|"]
        for c in found:
            if c.use == use:
                prefill = f"{c.measured_prefill:.4g} | {c.predicted.prefill:.3g}" if c.measured_prefill else " | "
                lines.append(
                    f"| {c.machine} | {c.model} | {c.measured_decode:.4g} | {c.predicted.decode:.3g} | "
                    f"{_percent(c.decode_error)} | {prefill} | {_percent(c.prefill_error)} | {c.source} |"
                )
        lines.append("")
    within = [c for c in found if c.use == "validation" and abs(c.decode_error) <= 0.30]
    total = sum(c.use == "validation" for c in found)
    lines.append(f"Of {total} validation measurements {len(within)} are predicted within 30 % (tokens one by one).")
    command = "python -m benchmarks.published"
    write_markdown("published", command, lines)
    insert("docs/hardware.md", "published", command, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
