"""``shardlight bench``: how fast and how good the user's own models are on this machine, and what to change."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import psutil
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from lsp_server.cli import measuring
from lsp_server.cli.asking import engine, progress, spec_of
from lsp_server.engine.hardware import installed_library
from lsp_server.engine.loading import survey
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.remote_spec import is_remote
from lsp_server.models.catalog import Catalog, Role
from lsp_server.models.files import human_rate
from lsp_server.models.planning.tuning import Measured, changes
from lsp_server.prompting.catalog import prompts_of
from lsp_server.settings.schema import Settings

# Seconds after which a part of the measurement begins nothing new: under three minutes in all, but for one answer of
# a model that is very slow.
_SPEED_S, _TYPING_S, _HOLES_S = 35.0, 45.0, 70.0
_ROLES: tuple[Role, ...] = ("completion", "assistant")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was measured of a model; None where it was not.

    Attributes:
        role: what it was measured for.
        planned_decode, planned_prefill: tokens per second by the plan that it was loaded by; 0 if it does not tell.
        changes: what to change, a sentence each.
    """

    model: str
    role: Role
    speed: measuring.Speed | None
    keystrokes: measuring.Keystrokes | None
    holes: measuring.Filled | None
    planned_decode: float = 0.0
    planned_prefill: float = 0.0
    changes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        told = asdict(self)
        if self.holes:
            told["holes"].update(
                {"rate": self.holes.rate.value, "low": self.holes.rate.low, "high": self.holes.rate.high}
            )
        return told


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``bench``."""
    command = subparsers.add_parser(
        "bench",
        help="how fast and how good your models are here, and what to change",
        description="Takes up to three minutes a model. Code that a model writes is run with its tests in a folder "
        "that is thrown away, sealed off from your files, other programs and the network.",
    )
    command.add_argument("--model", metavar="NAME", help="measure this one; default: those that you use")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace, settings: Settings) -> int:
    found = []
    console = Console()
    for role, spec in _wanted(args.model, settings):
        found.append(asyncio.run(_measure(role, spec)))
        if not args.json:
            show(console, found[-1])
    if args.json:
        sys.stdout.write(json.dumps({"models": [finding.as_json() for finding in found]}, indent=2) + "\n")
    elif not found:
        console.print("Your models are served elsewhere; --model measures one of this machine.")
    return 0


def _wanted(name: str | None, settings: Settings) -> list[tuple[Role, EngineSpec]]:
    """What is measured: a model that is named, or what the roles have on this machine, each once."""
    if name:
        return [("completion", spec_of(name, settings, "completion"))]
    specs = [(role, spec_of("auto", settings, role)) for role in _ROLES if not is_remote(settings, role)]
    first_of: dict[str, tuple[Role, EngineSpec]] = {}
    for role, spec in specs:
        first_of.setdefault(spec.name, (role, spec))
    return list(first_of.values())


async def _measure(role: Role, spec: EngineSpec) -> Finding:
    prompts = prompts_of()
    speed = keystrokes = holes = None
    with progress() as shown:
        async with engine(spec, shown) as backend:
            busy = await asyncio.to_thread(_busy_cores)
            plan = (await backend.props()).get("plan") or {}
            on_step = _step(shown, "Reading and writing")
            speed = await measuring.speed(backend, time.monotonic() + _SPEED_S, on_step)
            if role == "completion":
                on_step = _step(shown, "Typing")
                keystrokes = await measuring.keystrokes(backend, prompts, time.monotonic() + _TYPING_S, on_step)
                on_step = _step(shown, "Filling holes")
                holes = await measuring.filled(backend, prompts, time.monotonic() + _HOLES_S, on_step)
    predicted = plan.get("predicted", {})
    return Finding(
        spec.model_id,
        role,
        speed,
        keystrokes,
        holes,
        predicted.get("decode_tokens_per_s", 0.0),
        predicted.get("prefill_tokens_per_s", 0.0),
        await asyncio.to_thread(_changes, role, spec, speed, keystrokes, busy) if speed else (),
    )


def _step(shown: Progress, what: str) -> Callable[[int, int], None]:
    """A bar of its own, in place of the one before."""
    for task in list(shown.task_ids):
        shown.remove_task(task)
    task = shown.add_task(what, figure="")
    return lambda done, total: shown.update(task, completed=done, total=total, figure=f"{done} of {total}")


def _busy_cores() -> float:
    """How many cores other programs take while the engine rests."""
    return psutil.cpu_percent(interval=1.0) / 100 * (psutil.cpu_count() or 1)


def _changes(
    role: Role, spec: EngineSpec, speed: measuring.Speed, typed: measuring.Keystrokes | None, busy: float
) -> tuple[str, ...]:
    model, hardware = survey(spec.model_path, installed_library())
    wishes = replace(spec, role=role).config.wishes
    measured = Measured(speed.prefill, speed.decode, busy, typed.tokens_p50 if typed else None)
    return changes(model, hardware, wishes, measured, Catalog.load())


def show(console: Console, found: Finding) -> None:
    """Print what was measured of a model."""
    console.print(f"[bold]{escape(found.model)}[/] as {found.role}\n", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    for name, text in rows(found):
        table.add_row(name, text)
    console.print(table)
    console.print("\n[bold]What to change[/]")
    for line in found.changes or ("Nothing: it is about as fast as planned, and fast enough.",):
        console.print(f"  • {escape(line)}", highlight=False, soft_wrap=True)
    console.print()


def rows(found: Finding) -> list[tuple[str, str]]:
    """What was measured, in words."""
    lines = []
    if speed := found.speed:
        for name, real, planned in (
            ("reading", speed.prefill, found.planned_prefill),
            ("writing", speed.decode, found.planned_decode),
        ):
            lines.append(
                (name, f"{human_rate(real)} tokens/s" + (f", {human_rate(planned)} planned" if planned else ""))
            )
        lines.append(("first token", f"{speed.ttft_ms:,.0f} ms at a new place ({speed.prompt_tokens} tokens read)"))
    if typed := found.keystrokes:
        usual = f"{_tokens(typed.tokens_p50)} evaluated, {typed.wait_p50_ms:,.0f} ms to a suggestion"
        worst = f"95 %: {_tokens(typed.tokens_p95)}, {typed.wait_p95_ms:,.0f} ms"
        lines.append(("a keystroke", f"{usual} (median of {typed.count}; {worst})"))
    if holes := found.holes:
        low, high = holes.rate.low, holes.rate.high
        lines.append(
            (
                "small holes",
                f"{holes.passed} of {holes.count} filled so that their tests pass ({low:.0%} to {high:.0%})",
            )
        )
    return lines


def _tokens(count: float) -> str:
    return f"{count:.0f} token{'s' * (round(count) != 1)}"
