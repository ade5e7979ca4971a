"""Engines that are killed, again and again."""

from __future__ import annotations

from benchmarks.faults.site import HOLE, LONG, Fault, Site


async def measure(site: Site, kills: int) -> list[Fault]:
    """``kills`` of them: half at work, a quarter idle, the others while loading."""
    busy = Fault("engine killed at work", "`kill -9` at a random moment of an answer")
    for _ in range(kills // 2):
        await site.suffer(busy, LONG, 3.0, site.signal)
    idle = Fault("engine killed while idle", "`kill -9`, then a request")
    for _ in range(kills // 4):
        site.signal()
        await site.next(idle)
    loading = Fault("engine killed while it loads", "`kill -9` at a random moment of its start")
    for _ in range(kills - kills // 2 - kills // 4):
        site.signal()
        await site.suffer(loading, HOLE, 2.0, site.signal)
    return [busy, idle, loading]
