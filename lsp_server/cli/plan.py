"""``shardlight plan MODEL``: how a model would run on this machine, or on another one."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lsp_server.cli.heads import heads_of
from lsp_server.cli.numbers import whole
from lsp_server.cli.plan_picture import Compared, compared, picture
from lsp_server.engine import runtime
from lsp_server.engine.hardware import detect, installed_library
from lsp_server.engine.loading import kernel_types, planned
from lsp_server.engine.neighbours import claims_beside
from lsp_server.errors import RefusedError
from lsp_server.inference.sources import wanted_model
from lsp_server.inference.watching import look
from lsp_server.models.files import human_size, nearest_existing
from lsp_server.models.hardware import Hardware, load_profile, shipped_profiles
from lsp_server.models.planning.anatomy import Anatomy, anatomy_of
from lsp_server.models.planning.auto import advise, catalog_anatomy, strongest
from lsp_server.models.planning.plan import SEQUENCES, Plan, Wishes
from lsp_server.models.planning.planner import make_plan
from lsp_server.models.reference import CatalogRef, ModelRef, PathRef, parse_ref
from lsp_server.models.store import ModelStore, store_from
from lsp_server.settings.schema import Settings


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``plan``."""
    command = subparsers.add_parser("plan", help="where a model's parts go, what that takes, how fast it is, and why")
    command.add_argument(
        "model", metavar="MODEL", nargs="?", default="auto", help="as in `models pull`, here or not; default auto"
    )
    command.add_argument(
        "--hardware",
        metavar="FILE",
        help=f"a machine described in a TOML file, or one of {', '.join(shipped_profiles())}; default: this one",
    )
    command.add_argument(
        "--ctx",
        type=whole("number of tokens", 1),
        metavar="N",
        help="context in tokens; default: the setting engine.n_ctx",
    )
    command.add_argument("--role", choices=["completion", "assistant"], default="assistant", help="what it is for")
    command.add_argument("--contexts", type=int, choices=[1, 2], default=1, help="2: it completes and assists")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--svg", type=Path, metavar="FILE", help="draw what each device's memory holds, too")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace, settings: Settings) -> int:
    store = store_from(settings.models.directory, registry_mirror=settings.models.registry_mirror)
    wishes = Wishes(
        role=args.role,
        n_ctx=args.ctx or settings.engine.n_ctx,
        n_contexts=args.contexts,
        n_sequences=SEQUENCES,
        memory_share=settings.engine.memory_percent / 100,
        reserve_bytes=args.contexts * settings.engine.checkpoint_mb * 1_000_000,
        n_gpu_layers=None if settings.engine.n_gpu_layers < 0 else settings.engine.n_gpu_layers,
        n_threads=settings.engine.n_threads or None,
    )
    profile = None if args.hardware is None else load_profile(args.hardware)
    ref = _model(args.model, settings, store, wishes, profile)
    plan, hardware = _plan(ref, store, wishes, profile)
    plan = advise(plan, hardware, store.catalog)
    if args.svg:
        _draw(args.svg, plan, hardware, _measured(ref, store) if profile is None else ())
    if args.json:
        sys.stdout.write(json.dumps(plan.as_json(), indent=2) + "\n")
    else:
        _print(Console(), plan)
        if args.svg:
            Console().print(f"\nDrawn in {escape(str(args.svg))}.", highlight=False, soft_wrap=True)
    return 0


def _model(name: str, settings: Settings, store: ModelStore, wishes: Wishes, profile: Hardware | None) -> ModelRef:
    if name != "auto":
        return parse_ref(name, store.catalog)
    meant = settings.models.completion if wishes.role == "completion" else settings.models.assistant
    if meant == "auto" and profile is not None:
        return CatalogRef(strongest(store.catalog, wishes.role, profile, wishes.n_ctx))
    return wanted_model(settings, store, wishes.role)


def _plan(ref: ModelRef, store: ModelStore, wishes: Wishes, profile: Hardware | None) -> tuple[Plan, Hardware]:
    """A plan for a described machine, or for this one; of a model that is here llama.cpp is asked, too."""
    if profile is not None:
        return make_plan(_anatomy(ref, store), profile, wishes), profile
    found = store.find(ref)
    if found is None and not isinstance(ref, PathRef):
        model = _anatomy(ref, store)
        # The folder may not be there yet; what holds it then decides how fast the disk is.
        hardware = detect(nearest_existing(store.directory), types=kernel_types(model))
        return make_plan(model, hardware, wishes), hardware
    path, library = (found or store.locate(ref)).path, installed_library()
    return planned(path, wishes, library, claims_beside(path), name=_name(ref))


def _anatomy(ref: ModelRef, store: ModelStore) -> Anatomy:
    """Of a model of the catalog that is not here from its blueprint; of any other from its files' heads."""
    if isinstance(ref, CatalogRef) and store.find(ref) is None:
        return catalog_anatomy(ref.id)
    model, name = anatomy_of(heads_of(ref, store)), _name(ref)
    return model.called(name) if name else model


def _name(ref: ModelRef) -> str:
    """A model of the catalog goes by its name there, by which it was asked for; others by their own (empty)."""
    return ref.id if isinstance(ref, CatalogRef) else ""


def _measured(ref: ModelRef, store: ModelStore) -> tuple[Compared, ...]:
    """What an engine that runs this model has allocated, beside what it had planned."""
    found = store.find(ref)
    for record in runtime.all_running() if found else ():
        if found and Path(record.model_path).resolve() == found.path.resolve():
            load = look(record).props.get("plan")
            if load:
                return compared(load)
    return ()


def _draw(path: Path, plan: Plan, hardware: Hardware, measured: tuple[Compared, ...]) -> None:
    try:
        aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        aside.write_text(picture(plan, hardware, measured), encoding="utf-8")
        aside.replace(path)
    except (OSError, ValueError) as error:  # a folder's name is none that a file can have
        why = getattr(error, "strerror", None) or error
        raise RefusedError(f"{path} cannot be written: {why}.", hint="Name another file.") from error


def _print(console: Console, plan: Plan) -> None:
    settings = plan.settings
    console.print(f"[bold]{escape(plan.model)}[/] on [bold]{escape(plan.hardware)}[/]", highlight=False)
    console.print()
    console.print(_devices(plan))
    console.print()
    speed = plan.predicted
    console.print(
        f"[bold]{speed.decode:.3g}[/] tokens/s answering, [bold]{speed.prefill:.3g}[/] reading "
        f"({settings.n_ctx:,} tokens of context)",
        highlight=False,
    )
    shares = ", ".join(
        f"{cost.what} {cost.seconds * plan.predicted.decode:.0%}" for cost in plan.predicted.decode_costs[:4]
    )
    console.print(f"[dim]A token's time: {escape(shares)}[/]", highlight=False, soft_wrap=True)
    for title, lines in (("Why", plan.reasons), ("Better", plan.suggestions)):
        if lines:
            console.print(f"\n[bold]{title}[/]")
        for line in lines:
            console.print(f"  • {escape(line)}", highlight=False, soft_wrap=True)
    console.print("\n[bold]Settings[/]")
    console.print(f"  {escape(_arguments(plan))}", highlight=False, soft_wrap=True)
    if not plan.exact:
        console.print("\n[dim]Sizes are from formulas; for a model and machine that are here llama.cpp is asked.[/]")


def _devices(plan: Plan) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("device", "weights", "cache", "buffers", "total", "of", ""):
        table.add_column(title, justify="left" if title in ("device", "") else "right")
    for device in plan.devices:
        sizes = (device.weights_bytes, device.kv_bytes, device.compute_bytes, device.n_bytes, device.budget_bytes)
        table.add_row(device.name, *(human_size(size) for size in sizes), f"[dim]{escape(device.description)}[/]")
    return table


def _arguments(plan: Plan) -> str:
    """The settings as llama-server would take them: for comparing, and for those who run one."""
    s = plan.settings
    parts = [f"-c {s.n_ctx * s.n_seq_max}", f"-b {s.n_batch}", f"-ub {s.n_ubatch}"]
    parts += [f"-np {s.n_seq_max}"] * (s.n_seq_max > 1)
    parts += [f"-t {s.n_threads}", f"-tb {s.n_threads_batch}", f"-ngl {s.n_gpu_layers}", "-fa on"]
    if s.tensor_split:
        parts.append(f"-ts {','.join(map(str, s.tensor_split))}")
    parts += [f"-ot '{pattern}=CPU'" for pattern in s.tensor_overrides]
    if s.type_k != "F16":
        parts.append(f"-ctk {s.type_k.lower()} -ctv {s.type_v.lower()}")
    parts += ["--no-mmap"] * (s.load_mode == "none") + ["--numa distribute"] * s.numa
    parts += ["--no-repack"] * (not s.use_extra_bufts)
    return " ".join(parts)
