"""Bare speed: a prompt, an answer, and steps of 1 to 64 tokens, side by side with the peers."""

from __future__ import annotations

import random
import sys
from contextlib import AbstractContextManager, ExitStack

from benchmarks.engine.contenders import Contender, by_server, engine_settings, in_node, in_python
from benchmarks.engine.outcome import Bar, Outcome, Setup, median, table

_PROMPT = 987
_BASE = 512
_ANSWER = 32
_STEPS = (1, 2, 4, 8, 16, 32, 63, 64)
_OURS = "ours"


def run(setup: Setup) -> Outcome:
    """Each contender once a round, in another order each time; medians of milliseconds."""
    settings = engine_settings(setup)
    lines: list[str] = []
    with ExitStack() as stack:
        contenders: dict[str, Contender] = {}
        for name, contender in _all(setup, settings).items():
            try:
                contenders[name] = stack.enter_context(contender)
            except (RuntimeError, OSError) as error:
                lines += [f"{name} does not take part: {error}", ""]
        found = _rounds(contenders, setup.count(7, 1))
    best = _best_peer(found)
    head = ["", *found, "ours × the best peer"]
    tasks = [_prompt_name(), _answer_name(), *map(_step_name, _STEPS)]
    rows: list[list[object]] = []
    ratios: dict[str, float] = {}
    for task in tasks:
        values = [_shown(task, median(ms[task])) for ms in found.values()]
        if best:
            ratios[task] = best[task] / median(found[_OURS][task])
        rows.append([task, *values, ratios.get(task, float("nan"))])
    lines += table(head, rows)
    lines += [
        "",
        (
            f"Tokens per second in the first two rows, milliseconds in the others; more than 1 × is faster. "
            f"{settings['n_threads']} threads; steps after {_BASE} tokens."
        ),
    ]
    bars = [_bar(name, {task: ratios.get(task)}) for name, task in (("prefill", tasks[0]), ("decode", tasks[1]))]
    bars.append(_bar("decode of 1 to 64 tokens", {task: ratios.get(task) for task in tasks[2:]}))
    return Outcome(lines, bars, [{"contender": name, **ms} for name, ms in found.items()])


def _all(setup: Setup, settings: dict[str, object]) -> dict[str, AbstractContextManager[Contender]]:
    found: dict[str, AbstractContextManager[Contender]] = {
        name: in_python(name, setup, settings) for name in (_OURS, "llama_cpp.Llama")
    }
    if setup.llama_server:
        found["llama-server"] = by_server(setup)
    if setup.node_llama_cpp:
        found["node-llama-cpp"] = in_node(setup, settings)
    return found


def _rounds(contenders: dict[str, Contender], n_rounds: int) -> dict[str, dict[str, list[float]]]:
    """Milliseconds by contender and task. The first round warms all up and does not count."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in contenders}
    rng = random.Random(1)
    for number in range(n_rounds + 1):
        for name in rng.sample(list(contenders), len(contenders)):
            for task, ms in _round(contenders[name], number).items():
                if number:
                    found[name].setdefault(task, []).append(ms)
        sys.stderr.write(f"\rround {number} of {n_rounds}")
    sys.stderr.write("\n")
    return found


def _round(contender: Contender, number: int) -> dict[str, float]:
    prompt = _tokens(_PROMPT, 0)
    base = prompt[:_BASE]
    found = {_prompt_name(): contender.ms([], prompt)}
    for i, n in enumerate(_STEPS):
        # Other tokens each time, so that nobody has them.
        found[_step_name(n)] = contender.ms(base, _tokens(n, 1 + number * len(_STEPS) + i))
    found[_answer_name()] = contender.ms(base, _tokens(_ANSWER, 10_000 + number), one_by_one=True)
    return found


def _tokens(n: int, variant: int) -> list[int]:
    """Any tokens that stand for bytes, other ones from the first on for each variant."""
    return [(i * 7919 + variant * 104729) % 50_000 + 1_000 for i in range(n)]


def _best_peer(found: dict[str, dict[str, list[float]]]) -> dict[str, float]:
    """The fewest milliseconds of anybody else, by task."""
    peers = [ms for name, ms in found.items() if name != _OURS]
    return {task: min(median(ms[task]) for ms in peers) for task in found[_OURS]} if peers else {}


def _prompt_name() -> str:
    return f"prefill of {_PROMPT} tokens, tok/s"


def _answer_name() -> str:
    return "decode, tok/s"


def _step_name(n: int) -> str:
    return f"{n} at once, ms"


def _shown(task: str, ms: float) -> float:
    if task == _prompt_name():
        return _PROMPT / ms * 1000
    return _ANSWER / ms * 1000 if task == _answer_name() else ms


def _bar(name: str, ratios: dict[str, float | None]) -> Bar:
    known = {task: ratio for task, ratio in ratios.items() if ratio is not None}
    if not known:
        return Bar(name, "≥ 1.0 × the best peer", "no peer", None)
    task, least = min(known.items(), key=lambda item: item[1])
    measured = f"{least:.2f} ×" + (f" at its worst ({task})" if len(known) > 1 else "")
    return Bar(name, "≥ 1.0 × the best peer", measured, least >= 1)
