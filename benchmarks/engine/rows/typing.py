"""The replay on the small real model: tokens evaluated a keystroke, and the wait for a suggestion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.engine.client import asked_for
from benchmarks.engine.outcome import Bar, Outcome, Setup, median, percentile, table
from benchmarks.engine.peers import BATCHES, Answer, Filler, in_turn, llama_server, ours
from benchmarks.engine.replay import Kind, Step, replay
from benchmarks.engine.source import file_text
from lsp_server.context.window import Window

_TO_CHOOSE = 40
_KINDS: tuple[Kind, ...] = ("typing", "correction", "closer", "jump")


@dataclass(frozen=True, slots=True)
class Request:
    """A keystroke and what it cost."""

    kind: Kind
    pause: bool
    answer: Answer


@dataclass(frozen=True, slots=True)
class Cold:
    """A llama-server in the trial: the first prompt of all, and the median of the keystrokes after it."""

    n_ubatch: int
    prompt_ms: float
    prompt_tokens: int
    wall_ms: float
    evaluated: float


def run(setup: Setup) -> Outcome:
    """The replay, each keystroke a request to both in turn."""
    steps = replay(file_text(), seed=setup.seed)
    steps = steps[: setup.count(len(steps), 12)]
    trials = [trial(setup, n, steps[: setup.count(_TO_CHOOSE, 3)]) for n in BATCHES] if setup.llama_server else []
    with ExitStack() as stack:
        servers = [stack.enter_context(ours(setup.model))]
        if trials:
            best = min(trials, key=lambda one: one.wall_ms)
            servers.append(stack.enter_context(llama_server(setup, setup.model, best.n_ubatch)))
        found = ask(servers, steps, asked_for)
        n_tokens = sorted(r.answer.evaluated + r.answer.reused for r in found[0])
    jumps = sum(step.kind == "jump" for step in steps)
    lines = [
        (
            f"{len(steps)} keystrokes, {jumps} of them jumps ({jumps / len(steps):.0%}); prompts of "
            f"{n_tokens[0]} to {n_tokens[-1]} tokens, {median(n_tokens):.0f} at the median. 24 tokens "
            "asked for, whatever ends before (`ignore_eos`)."
        ),
        "",
        *_costs([server.name for server in servers], found),
    ]
    if trials:
        lines += ["", *trials_table(trials)]
    raw = [raw_numbers(server.name, requests) for server, requests in zip(servers, found, strict=True)]
    return Outcome(lines, _bars(found), raw)


def trial(setup: Setup, n_ubatch: int, steps: Sequence[Step]) -> Cold:
    """A llama-server alone with the first keystrokes."""
    with llama_server(setup, setup.model, n_ubatch) as server:
        first, *others = ask([server], steps, asked_for)[0]
    answers = [request.answer for request in others]
    return Cold(
        n_ubatch,
        first.answer.prompt_ms,
        first.answer.evaluated,
        median(a.wall_ms for a in answers if not a.empty),
        median(a.evaluated for a in answers),
    )


def ask(
    servers: Sequence[Filler], steps: Sequence[Step], window: Callable[[Step], Window], **fields: Any
) -> list[list[Request]]:
    """Each keystroke to each server, by turns first; the requests of each server in the keystrokes' order."""
    found: list[list[Request]] = [[] for _ in servers]
    for number, step in enumerate(steps):
        around = window(step)
        order = range(len(servers)) if in_turn(number)[0] == "ours" else reversed(range(len(servers)))
        for i in order:
            answer = servers[i].infill(around.prefix, around.suffix, document="replay", **fields)
            found[i].append(Request(step.kind, step.pause, answer))
    return found


def typed(requests: Sequence[Request]) -> list[Answer]:
    """All but the jumps."""
    return [request.answer for request in requests if request.kind != "jump"]


def trials_table(trials: Sequence[Cold]) -> list[str]:
    """What the best was chosen from."""
    return table(
        ["llama-server, first keystrokes", "cold prefill, ms", "of tokens", "wall ms, median", "evaluated, median"],
        [[f"-ub {t.n_ubatch}", t.prompt_ms, t.prompt_tokens, t.wall_ms, t.evaluated] for t in trials],
    )


def raw_numbers(name: str, requests: Sequence[Request]) -> dict[str, Any]:
    """A column each of what the requests were and cost, which is small enough to keep."""
    answers = [request.answer for request in requests]
    return {
        "server": name,
        "kind": [request.kind for request in requests],
        "evaluated": [answer.evaluated for answer in answers],
        "reused": [answer.reused for answer in answers],
        "generated": [answer.generated for answer in answers],
        "empty": [int(answer.empty) for answer in answers],
        "ttft_ms": [round(answer.ttft_ms, 1) for answer in answers],
        "wall_ms": [round(answer.wall_ms, 1) for answer in answers],
    }


def _costs(names: Sequence[str], found: Sequence[Sequence[Request]]) -> list[str]:
    rows: list[list[object]] = []
    for name, requests in zip(names, found, strict=True):
        groups: list[tuple[str, list[Answer]]] = [("all but jumps", typed(requests))]
        groups += [(kind, [r.answer for r in requests if r.kind == kind]) for kind in _KINDS]
        groups.append(("at pauses, no jumps", [r.answer for r in requests if r.pause and r.kind != "jump"]))
        for kind, answers in groups:
            walls = [a.wall_ms for a in answers if not a.empty]
            ttfts = [a.ttft_ms for a in answers if not a.empty]
            evaluated = [a.evaluated for a in answers]
            rows.append(
                [
                    f"{name}: {kind}",
                    len(answers),
                    median(evaluated),
                    percentile(evaluated, 0.95),
                    sum(evaluated),
                    median(ttfts),
                    median(walls),
                    percentile(walls, 0.95),
                    f"{len(walls) / len(answers):.0%}" if answers else "–",
                ]
            )
    head = ["", "requests", "evaluated, median", "p95", "in all", "TTFT ms, median", "wall ms, median", "p95"]
    return table([*head, "not empty"], rows)


def _bars(found: Sequence[Sequence[Request]]) -> list[Bar]:
    mine = typed(found[0])
    evaluated = [a.evaluated for a in mine]
    middle, high = median(evaluated), percentile(evaluated, 0.95)
    bars = [
        Bar(
            "typing: tokens evaluated",
            "median ≤ 4, p95 ≤ 32",
            f"{middle:.0f} and {high:.0f}",
            middle <= 4 and high <= 32,
        )
    ]
    share = sum(not a.empty for a in mine) / len(mine)
    bars.append(Bar("typing: answers that are not empty", "≥ 90 %", f"{share:.0%}", share >= 0.9))
    walls = [[a.wall_ms for a in typed(requests) if not a.empty] for requests in found]
    for name, share, bar in (("p50", 0.5, 0.5), ("p95", 0.95, 0.7)):
        ratio = percentile(walls[0], share) / percentile(walls[1], share) if len(walls) > 1 else None
        measured = f"{percentile(walls[0], share):.0f} ms" + (f", {ratio:.2f} ×" if ratio else "")
        met = ratio <= bar if ratio else None
        bars.append(Bar(f"typing: wall time to 24 tokens, {name}", f"≤ {bar} × llama-server", measured, met))
    return bars
