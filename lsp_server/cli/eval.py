"""``shardlight eval FILE``: how many problems a model solves, by tests that its programs are run with."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from lsp_server.cli.asking import engine, progress, spec_of
from lsp_server.cli.numbers import whole
from lsp_server.errors import RefusedError
from lsp_server.inference.http import HttpBackend
from lsp_server.inference.launcher import EngineSpec
from lsp_server.settings.schema import Settings
from lsp_server.testing.evaluation import Rates, evaluate, missing, rates
from lsp_server.testing.problems import MODES, Mode, Problem, read_problems
from lsp_server.testing.sample_log import Conditions, SampleLog

_MAX_TOKENS = 1024
_TIMEOUT_S = 10.0
# What Chen et al. found best for many samples; a single one is the likeliest answer.
_TEMPERATURE = 0.8


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``eval``."""
    command = subparsers.add_parser(
        "eval",
        help="how many programming problems a model solves",
        description="Asks a model for programs and runs them with the problems' tests: in a folder that is thrown "
        "away, sealed off from your files, other programs and the network, within limits. Where that cannot be had, "
        "nothing is run. It stops accidents and is no prison.",
    )
    command.add_argument("file", metavar="FILE", type=Path, help="problems in HumanEval's format: .jsonl or .jsonl.gz")
    command.add_argument(
        "--model", metavar="NAME", default="auto", help="as in `models pull`; default: the assistant's"
    )
    command.add_argument("--mode", choices=MODES, help="default: chat if the model has a template for it")
    count = whole("number", 1)
    command.add_argument("--samples", type=count, default=1, metavar="N", help="answers a problem, for pass@k")
    command.add_argument("--temperature", type=float, metavar="T", help=f"default 0; {_TEMPERATURE} with --samples")
    command.add_argument("--limit", type=count, metavar="N", help="the first N problems only")
    command.add_argument("--timeout", type=count, default=_TIMEOUT_S, metavar="S", help="seconds a program may take")
    command.add_argument("--results", type=Path, metavar="FILE", help="where each answer is kept; default: beside FILE")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace, settings: Settings) -> int:
    problems = read_problems(args.file)[: args.limit]
    temperature = (_TEMPERATURE if args.samples > 1 else 0.0) if args.temperature is None else args.temperature
    if not 0.0 <= temperature <= 2.0:
        raise RefusedError(f"{temperature} is no temperature.", hint="It lies between 0 and 2.")
    if args.samples > 1 and not temperature:
        raise RefusedError("At temperature 0 all samples are the same.", hint="Leave one of the two options out.")
    spec = spec_of(args.model, settings, "assistant")
    try:
        log, conditions = asyncio.run(_evaluate(args, spec, problems, temperature))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. The same command goes on from here.\n")
        return 130
    found = rates(problems, args.samples, log)
    if args.json:
        sys.stdout.write(json.dumps(_as_json(args.file, conditions, found, log), indent=2) + "\n")
    else:
        show(Console(), args.file, conditions, found, log)
    return 0


async def _evaluate(
    args: argparse.Namespace, spec: EngineSpec, problems: tuple[Problem, ...], temperature: float
) -> tuple[SampleLog, Conditions]:
    with progress() as shown:
        async with engine(spec, shown) as backend:
            conditions = Conditions(
                model=spec.model_id,
                mode=args.mode or await _mode_of(backend),
                temperature=temperature,
                max_tokens=_MAX_TOKENS,
                timeout_s=float(args.timeout),
                problems=hashlib.sha256(args.file.read_bytes()).hexdigest(),
            )
            log = SampleLog(args.results or _beside(args.file, conditions), conditions)
            await _show_work(backend, shown, problems, args.samples, conditions, log)
            return log, conditions


async def _show_work(
    backend: HttpBackend,
    shown: Progress,
    problems: tuple[Problem, ...],
    n_samples: int,
    conditions: Conditions,
    log: SampleLog,
) -> None:
    total = len(problems) * n_samples
    work = missing(problems, n_samples, log)
    done = total - len(work)
    task = shown.add_task("Solving", total=total, completed=done, figure=f"{done} of {total}")
    ids = {problem.task_id for problem in problems}
    passed = sum(s.passed for s in log.done.values() if s.task_id in ids and s.sample < n_samples)
    async for sample in evaluate(backend, work, conditions, log):
        done, passed = done + 1, passed + sample.passed
        shown.update(task, completed=done, figure=f"{done} of {total}, {passed} passed")


async def _mode_of(backend: HttpBackend) -> Mode:
    """Who has a template for conversations was taught to have them."""
    return "chat" if (await backend.props()).get("chat_template") else "completion"


def _beside(file: Path, conditions: Conditions) -> Path:
    """A name for the results that tells what they are of."""
    model = "".join(c if c.isalnum() or c in "-._" else "-" for c in conditions.model)
    chance = f".t{conditions.temperature:g}" if conditions.temperature else ""
    return file.with_name(f"{file.name.split('.')[0]}.{model}.{conditions.mode}{chance}.results.jsonl")


def _as_json(file: Path, conditions: Conditions, found: Rates, log: SampleLog) -> dict[str, Any]:
    return {
        "file": str(file),
        "model": conditions.model,
        "mode": conditions.mode,
        "temperature": conditions.temperature,
        **found.as_json(),
        "results": str(log.path),
    }


def show(console: Console, file: Path, conditions: Conditions, found: Rates, log: SampleLog) -> None:
    """Print what came of an evaluation."""
    console.print(f"[bold]{escape(conditions.model)}[/] on [bold]{escape(file.name)}[/]\n", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for k, interval in found.pass_at.items():
        table.add_row(f"[dim]pass@{k}[/]", f"[bold]{interval.percent()}[/]")
    chance = f"temperature {conditions.temperature:g}" if conditions.temperature else "the likeliest answer"
    table.add_row(
        "[dim]asked for[/]", f"{found.problems} problems, {found.samples} answers, {conditions.mode}, {chance}"
    )
    if found.failures:
        table.add_row("[dim]failed[/]", escape(", ".join(f"{n} × {why}" for why, n in found.failures.items())))
    table.add_row("[dim]kept in[/]", escape(str(log.path)))
    console.print(table)
    console.print("\n[dim]In brackets: where the rate lies with 95 % confidence, by Wilson's score.[/]")
