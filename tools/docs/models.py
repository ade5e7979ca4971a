"""What docs/models.md says of the catalog and of plans, worked out from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lsp_server.cli.plan_picture import picture
from lsp_server.models.catalog import Catalog, CatalogModel, Role
from lsp_server.models.files import human_size
from lsp_server.models.hardware import Hardware, load_profile, shipped_profiles
from lsp_server.models.planning.auto import catalog_anatomy, strongest
from lsp_server.models.planning.placement import CPU
from lsp_server.models.planning.plan import SEQUENCES, Plan, Wishes
from lsp_server.models.planning.planner import make_plan

N_CTX = 8192
"""The context of all plans, in tokens: what `engine.n_ctx` is unless it is set."""

DRAWN = "deepseek-v4-flash", "rtx3090-80gb"
"""The model and the machine of the plan that is drawn."""


def catalog_table() -> Iterator[str]:
    """The models that are known by name."""
    yield "| model | what it is | roles | size | fills holes | licence |"
    yield "|---|---|---|--:|---|---|"
    for model in Catalog.load():
        size = human_size(model.size) if model.size else ""
        licence = model.licence if model.commercial_use else f"**{model.licence}**"
        fills = "yes" if model.fim else "no"
        yield f"| `{model.name}` | {model.title} | {', '.join(model.roles)} | {size} | {fills} | {licence} |"


def plan_table() -> Iterator[str]:
    """What `auto` takes on each machine that Shardlight has a description of, all models being installed."""
    yield "| machine | completion | tokens/s | assistant | tokens/s | on GPUs | in RAM |"
    yield "|---|---|--:|---|--:|--:|--:|"
    for hardware in map(load_profile, shipped_profiles()):
        completion, fast = _best("completion", hardware)
        assistant, strong = _best("assistant", hardware)
        in_ram = sum(device.n_bytes for device in strong.devices if device.name == CPU)
        on_gpus = sum(device.n_bytes for device in strong.devices) - in_ram
        cells = (
            hardware.name,
            f"`{completion.name}`",
            _speed(fast),
            f"`{assistant.name}`",
            _speed(strong),
            human_size(on_gpus) if on_gpus else "–",
            human_size(in_ram),
        )
        yield f"| {' | '.join(cells)} |"


def drawn_plan() -> str:
    """The picture of one plan, as ``shardlight plan --svg`` draws it."""
    model, machine = DRAWN
    hardware = load_profile(machine)
    return picture(_plan(model, "assistant", hardware), hardware)


PARTS: Mapping[str, Callable[[], Iterator[str]]] = {"catalog": catalog_table, "plans": plan_table}


def filled(page: Path) -> str:
    """A page's text with what belongs between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``."""
    text = page.read_text(encoding="utf-8")
    for name, lines in PARTS.items():
        marked = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        made = "\n".join(lines())
        text = marked.sub(lambda around, made=made: f"{around[1]}{made}\n{around[2]}", text)  # type: ignore[misc]
    return text


def _best(role: Role, hardware: Hardware) -> tuple[CatalogModel, Plan]:
    model = strongest(Catalog.load(), role, hardware, N_CTX)
    return model, _plan(model.name, role, hardware)


def _plan(model: str, role: Role, hardware: Hardware) -> Plan:
    return make_plan(catalog_anatomy(model), hardware, Wishes(role, N_CTX, n_sequences=SEQUENCES))


def _speed(plan: Plan) -> str:
    return f"{float(f'{plan.predicted.decode:.2g}'):g}"
