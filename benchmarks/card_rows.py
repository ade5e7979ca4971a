"""The model card's four machines: ``python -m benchmarks.card_rows``.

For each: the card's own figure, our plan, a plan of whole layers (what ``n_gpu_layers`` alone can say), and one as
llama-server's ``--fit`` makes it: everything on the GPU, experts from the first layers on in RAM until the rest fits,
mapped files, steps of 512 tokens. All predictions are ours; nothing is run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from benchmarks.results import insert, write_markdown
from lsp_server.models.files import human_size
from lsp_server.models.hardware import Hardware, load_profile
from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.auto import catalog_anatomy
from lsp_server.models.planning.budget import fits
from lsp_server.models.planning.placement import CPU, place
from lsp_server.models.planning.plan import Wishes
from lsp_server.models.planning.planner import make_plan
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.planning.speed import Prediction, predict

# profile, context, the card's tokens per second (MODEL: persadian/DeepSeek-V4-Flash-GGUF)
ROWS = (
    ("cpu-128gb", 8192, "0.2-0.5"),
    ("rtx3090-80gb", 8192, "1-3 (2.7)"),
    ("2x-rtx3090-nvlink", 32768, "5-8 (6.1)"),
    ("h100-80gb", 1048576, "15-25 (6.8 at 1M, cache on the CPU)"),
)
FLAGSHIP = "deepseek-v4-flash"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A way to place the model, and what it would do."""

    settings: LoadSettings
    predicted: Prediction


def first_fitting(
    model: Anatomy, hardware: Hardware, wishes: Wishes, every: Iterable[LoadSettings]
) -> Alternative | None:
    """The first of some settings that fit."""
    for settings in every:
        shares = place(model, hardware, settings)
        if fits(shares, hardware, wishes):
            return Alternative(settings, predict(model, hardware, settings, shares))
    return None


def whole_layers(model: Anatomy, hardware: Hardware, base: LoadSettings) -> Iterator[LoadSettings]:
    """As many layers on the GPUs as there is room for, each with its experts."""
    for count in range(model.n_layers + 1, -1, -1):
        yield replace(base, n_gpu_layers=count, tensor_split=_even(count, hardware), use_extra_bufts=not count)


def like_fit(model: Anatomy, hardware: Hardware, base: LoadSettings) -> Iterator[LoadSettings]:
    """All layers on the GPUs, and the experts of as few as possible in RAM, the first ones first."""
    every = replace(base, n_gpu_layers=model.n_layers + 1, use_extra_bufts=False)
    if not hardware.gpus:
        yield base
        return
    split = _even(every.n_gpu_layers, hardware)
    for kept in range(model.n_layers + 1):
        yield replace(every, tensor_split=split, cpu_moe_layers=tuple(range(kept)))


def _even(count: int, hardware: Hardware) -> tuple[int, ...]:
    n = len(hardware.gpus)
    return () if n < 2 or not count else tuple(count // n + (i < count % n) for i in range(n))


def lines() -> list[str]:
    """The table."""
    model = catalog_anatomy(FLAGSHIP)
    found = ["| machine | context | the card says | plan | whole layers | like `--fit` | on the GPUs | in RAM |"]
    found += ["|---|--:|--:|--:|--:|--:|--:|--:|"]
    for profile, n_ctx, card in ROWS:
        hardware, wishes = load_profile(profile), Wishes("assistant", n_ctx)
        plan = make_plan(model, hardware, wishes)
        base = replace(plan.settings, n_gpu_layers=0, tensor_split=(), cpu_moe_layers=(), load_mode="mmap")
        base = replace(base, n_ubatch=512, use_extra_bufts=True)
        ways: tuple[Callable[[Anatomy, Hardware, LoadSettings], Iterator[LoadSettings]], ...] = (whole_layers, like_fit)
        cells = [_cell(plan.predicted)]
        for way in ways:
            other = first_fitting(model, hardware, wishes, way(model, hardware, base))
            cells.append(_cell(other.predicted) if other else "does not fit")
        gpu = sum(device.n_bytes for device in plan.devices if device.name != CPU)
        ram = sum(device.n_bytes for device in plan.devices if device.name == CPU)
        cells += [human_size(gpu) if gpu else "–", human_size(ram)]
        found.append(f"| {hardware.name} | {plan.settings.n_ctx:,} | {card} | {' | '.join(cells)} |")
    return [*found, "", "Tokens per second: answering / reading prompts."]


def _cell(predicted: Prediction) -> str:
    return f"{predicted.decode:.3g} / {predicted.prefill:.3g}"


def main() -> int:
    """Print and write it."""
    found, command = lines(), "python -m benchmarks.card_rows"
    write_markdown("card-rows", command, found)
    insert("docs/hardware.md", "flagship", command, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
