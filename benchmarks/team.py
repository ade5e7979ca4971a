"""How many developers one GPU serves, reckoned from what was measured: ``python -m benchmarks.team``.

The GPU is a queue that serves one request at a time, each for as long as any other (M/D/1). With a load ρ, the share of
its time that it is busy, a request that takes s seconds waits ρ s / (2 (1 - ρ)) on average for those before it
(Pollaczek and Khinchine; Cooper, *Introduction to Queueing Theory*, 2nd edition, 1981, page 189). It is full here when
that is as long as the request itself: at ρ = 2/3.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.results import FOLDER, insert, read
from benchmarks.tables import Table, markdown, number, with_columns

_FULL = 2 / 3
_KEYS_PER_MINUTE = (100.0, 250.0)
"""Of somebody who types code: slowly, and as the replay does."""
_ANSWER = (8, 24)
"""Tokens of a suggestion: a short rest of a line, and as many as are asked for."""
_SHARE_OF_TIME = (0.05, 0.25)
"""For how much of the day somebody types."""


@dataclass(frozen=True, slots=True)
class Typing:
    """What typing asks for.

    Attributes:
        requests: a keystroke.
        evaluated: tokens of the prompt a request, on average, jumps to other places in the file included.
    """

    requests: float
    evaluated: float


@dataclass(frozen=True, slots=True)
class Rates:
    """What a GPU does, in tokens per second."""

    prefill: float
    decode: float


@dataclass(frozen=True, slots=True)
class Range:
    """A figure that is only known to lie between two others."""

    low: float
    high: float

    def shown(self) -> str:
        """With one significant figure, the low one rounded down and the high one up."""
        return f"{_rounded(self.low, math.floor):g} to {_rounded(self.high, math.ceil):g}"


def seconds(typing: Typing, rates: Rates, answer: int) -> float:
    """How long the GPU works on a request with an answer of so many tokens."""
    return typing.evaluated / rates.prefill + answer / rates.decode


def waiting(load: float, service_s: float) -> float:
    """Seconds that a request waits on average for those before it (see the module).

    Raises:
        ValueError: the load is not 0 or more and less than 1: the queue would grow for ever.
    """
    if not 0 <= load < 1:
        raise ValueError(f"a load of {load}")
    return load * service_s / (2 * (1 - load))


def at_once(typing: Typing, rates: Rates) -> Range:
    """How many may type at the same moment."""

    def count(keys_per_minute: float, answer: int) -> float:
        per_second = typing.requests * keys_per_minute / 60
        return _FULL / (per_second * seconds(typing, rates, answer))

    (slow, fast), (short, long) = _KEYS_PER_MINUTE, _ANSWER
    return Range(count(fast, long), count(slow, short))


def in_a_team(typing_now: Range) -> Range:
    """How large a team is of which so many type at a moment, on average."""
    rarely, often = _SHARE_OF_TIME
    return Range(typing_now.low / often, typing_now.high / rarely)


def _rounded(value: float, to: Callable[[float], int]) -> float:
    unit = 10.0 ** math.floor(math.log10(value))
    return to(value / unit) * unit


def typing_of(replay: Sequence[Table], costs: Sequence[Table], server: str) -> Typing:
    """From the replay through the editor, and from that of the engines, of one of which the name begins so.

    Raises:
        ValueError: a table is not there.
    """
    requests = evaluated = asked = 0.0
    for table in with_columns(replay, "keystrokes", "requests to the model"):
        rows = {row[""]: row for row in table.records()}
        requests = number(rows["all"]["requests to the model"]) / number(rows["all"]["keystrokes"])
    for table in with_columns(costs, "requests", "in all", "TTFT ms, median"):
        for row in table.records():
            if row[""].startswith(server) and row[""].endswith((": all but jumps", ": jump")):
                evaluated, asked = evaluated + number(row["in all"]), asked + number(row["requests"])
    if not requests or not asked:
        raise ValueError(f"nothing was measured of typing with {server}")
    return Typing(requests, evaluated / asked)


def rates_of(tables: Sequence[Table]) -> Rates:
    """Of the GPU with all of the model in its memory, as planned.

    Raises:
        ValueError: the table is not there.
    """
    for table in with_columns(tables, "prefill tok/s", "decode tok/s"):
        for row in table.records():
            if row[""] == "all memory: planned":
                return Rates(number(row["prefill tok/s"]), number(row["decode tok/s"]))
    raise ValueError("no GPU was measured")


def rows() -> Iterator[tuple[str, Typing, Rates]]:
    """What is served by what, from the results.

    Raises:
        ValueError: results are lacking.
    """
    found = {name: read(name) for name in ("completion-typing", "engine", "gpu-qwen2.5-coder-7b", "gpu")}
    tables = {name: result.tables if result else () for name, result in found.items()}
    for model, gpu in (("Qwen2.5-Coder 7B", "gpu-qwen2.5-coder-7b"), ("DeepSeek-V4-Flash", "gpu")):
        for server, start in (("llama-server", "llama-server"), ("Shardlight's engine", "ours")):
            # How much of a prompt with DeepSeek-V4's memory llama-server reads again was measured otherwise.
            if model.startswith("Qwen") or start == "ours":
                typing = typing_of(tables["completion-typing"], tables["engine"], start)
                yield f"{model}, {server}", typing, rates_of(tables[gpu])


def lines() -> list[str]:
    """The table and what it stands on."""
    found = list(rows())
    head = ["one H200 with", "a request keeps it busy for", "who may type at the same moment", "a team of"]
    body = []
    for name, typing, rates in found:
        now = at_once(typing, rates)
        busy = [1000 * seconds(typing, rates, answer) for answer in _ANSWER]
        body.append([name, f"{busy[0]:.0f} to {busy[1]:.0f} ms", now.shown(), in_a_team(now).shown()])
    requests, (slow, fast), (short, long) = found[0][1].requests, _KEYS_PER_MINUTE, _ANSWER
    read_again = "; ".join(f"{name.split(', ')[1]} {typing.evaluated:.0f}" for name, typing, _ in found[:2])
    rarely, often = _SHARE_OF_TIME
    measured = (
        "Reckoned, not tried. What was measured: "
        f"[{requests:.2f} requests a keystroke]({_link('completion-typing')}), "
        f"[prompt tokens evaluated a request, with a slot of one's own]({_link('engine')}): {read_again}; "
        f"the GPU's speed with a model of the [one]({_link('gpu-qwen2.5-coder-7b')}) and of the [other]({_link('gpu')})"
        " shape and random weights, one request at a time; and typing with the larger one, "
        f"[{_measured()}]({_link('gpu-typing')})."
    )
    assumed = (
        f"Assumed: {slow:.0f} to {fast:.0f} keystrokes a minute while somebody types, suggestions of {short} to {long} "
        f"tokens, and {rarely:.0%} to {often:.0%} of the day spent typing. A request may wait as long for others as it "
        "takes itself, on average, which an M/D/1 queue does at two thirds of its load (`benchmarks/team.py` has the "
        "formula and its source). On the safe side: requests that the next key cancels count in full, and nothing is "
        "done for several at once, which llama-server and vLLM do. On the other side: all those who type are taken to "
        "be independent of each other, actions of the assistant do not count, the requests were counted beside a slow "
        "model, and each slot takes memory. How much of what is suggested is accepted was measured on too little to "
        "say how it changes this."
    )
    return [measured, "", *markdown(head, body), "", assumed]


def _measured() -> str:
    """What a letter took on the GPU, which is not what the table is made of: to hold it against that."""
    for table in result.tables if (result := read("gpu-typing")) else ():
        for row in table.records():
            if "median" in row[""]:
                return f"{row['ms in all']} ms for a letter and 16 tokens"
    raise ValueError("no typing was measured on a GPU")


def _link(name: str) -> str:
    return f"../{FOLDER.parent.name}/{FOLDER.name}/{name}.md"


def main() -> int:
    """Write the table into docs/deployment.md."""
    found = lines()
    print("\n".join(found))
    insert("docs/deployment.md", "team", "python -m benchmarks.team", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
