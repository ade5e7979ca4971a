"""What the engine's process holds, against its plan; and whether that grows."""

from __future__ import annotations

import random
from typing import Any

import psutil

from benchmarks.engine.outcome import Bar, Outcome, Setup, table
from benchmarks.engine.peers import Server, ours
from benchmarks.engine.source import file_text

_REST_BYTES = 250 << 20
_GROWTH_BYTES = 16 << 20
_KINDS = ("weights", "kv", "compute")


def run(setup: Setup) -> Outcome:
    """Both contexts in use and full once, then many requests all over the file and some chats."""
    n = setup.count(1000, 100)
    with ours(setup.model) as server:
        plan = server.address.get("/props")["plan"]
        process = psutil.Process(server.pid)
        loaded = process.memory_full_info()
        _work(server, 0, n // 10, random.Random(setup.seed))
        settled = process.memory_full_info()
        _work(server, n // 10, n // 2, random.Random(setup.seed + 1))
        half = process.memory_full_info()
        _work(server, n // 10 + n // 2, n // 2, random.Random(setup.seed + 2))
        after = process.memory_full_info()
    planned = _planned(plan)
    bar_bytes = sum(planned.values()) + _REST_BYTES
    growth = after.rss - settled.rss
    moments = (("loaded", loaded), (f"after {n // 10}", settled), (f"after {n // 2} more", half), (f"{n} more", after))
    lines = [
        "Resident is RSS, which counts the pages of the mapped file that are in memory; USS leaves shared ones out.",
        "",
        *table(["", "RSS, MiB", "USS, MiB"], [[name, _mib(m.rss), _mib(m.uss)] for name, m in moments]),
        "",
        (
            f"Planned, MiB: {', '.join(f'{kind} {_mib(size):.0f}' for kind, size in planned.items())}; "
            f"with 250 MiB more {_mib(bar_bytes):.0f}."
        ),
    ]
    highest = max(m.rss for _, m in moments)
    bars = [
        Bar(
            "memory, resident",
            "≤ weights + KV + compute + 250 MB",
            f"{_mib(highest):.0f} of {_mib(bar_bytes):.0f} MiB",
            highest <= bar_bytes,
        ),
        Bar(
            f"memory over {n} requests",
            f"grows by less than {_mib(_GROWTH_BYTES):.0f} MiB",
            f"{_mib(growth):+.1f} MiB ({_mib(after.rss - half.rss):+.1f} in the second half)",
            growth < _GROWTH_BYTES,
        ),
    ]
    return Outcome(lines, bars)


def _work(server: Server, begin: int, n: int, rng: random.Random) -> None:
    """Requests of every kind: all over the file, abandoned or not, and a chat now and then."""
    text = file_text()
    for i in range(begin, begin + n):
        offset = rng.randrange(200, len(text))
        prefix, suffix = text[max(0, offset - rng.randrange(50, 600)) : offset], text[offset : offset + 100]
        if i % 10:
            server.infill(prefix, suffix, document=f"document {i % 7}", n_predict=4)
        else:
            server.chat(f"What is this?\n{prefix}", max_tokens=4)


def _planned(plan: dict[str, Any]) -> dict[str, int]:
    """Bytes by purpose, over all devices and contexts."""
    return {kind: sum(device[f"{kind}_bytes"] for device in plan["devices"]) for kind in _KINDS}


def _mib(size: int) -> float:
    return size / 2**20
