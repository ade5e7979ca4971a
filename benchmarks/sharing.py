"""What it costs that others are there: ten windows on one engine, and typing while another model is loaded.

``python -m benchmarks.sharing windows`` and ``load``, with the small model, in folders of their own; results in
``results/sharing-windows.md`` and ``sharing-load.md``. The model that is loaded meanwhile is the flagship's stand-in,
61 GB of holes (``tools/flagship.py``).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.completion.editor import Editor, editor
from benchmarks.engine.outcome import percentile
from benchmarks.results import write_markdown
from lsp_server.engine import runtime
from lsp_server.errors import ShardlightError
from lsp_server.inference.backend import InfillRequest, collect
from lsp_server.inference.ending import end
from lsp_server.inference.http import HttpBackend
from lsp_server.inference.launcher import EngineSpec, attach
from lsp_server.models.files import human_size
from lsp_server.models.store import store_from
from lsp_server.settings.schema import Settings
from tools import flagship

_MODEL = "qwen2.5-coder-0.5b"
_SETTINGS = {"models": {"completion": _MODEL, "assistant": _MODEL}, "engine": {"n_ctx": 4096}}
_CODE = "def area(width, height):\n    return width * height\n\n\ndef perimeter(width, height):\n    return "
_KEY_S = 0.4


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of the servers, of what they have started, and of the engines; pages that several share are divided."""

    servers: int
    engines: int
    n_engines: int

    @property
    def whole(self) -> int:
        """All of it."""
        return self.servers + self.engines


async def memory_of_windows(root: Path, number: int) -> Memory:
    """So many windows with their servers, each of which has made suggestions."""
    async with AsyncExitStack() as stack:
        for i in range(number):
            window = await stack.enter_async_context(editor(root, _SETTINGS))
            await _suggest(window, root / f"open_{i}.py")
        running = runtime.all_running()
        engines = {record.pid for record in running}
        servers = [child for child in psutil.Process().children(recursive=True) if child.pid not in engines]
        print(f"{number} windows are open.", file=sys.stderr)
        return Memory(sum(map(_bytes, servers)), sum(_bytes(psutil.Process(pid)) for pid in engines), len(engines))


async def _suggest(window: Editor, path: Path) -> None:
    uri = window.open(path, _CODE)
    await window.suggest(uri, len(_CODE), invoked=True)


def _bytes(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        memory = process.memory_full_info()
        return int(getattr(memory, "pss", memory.uss))
    return 0


async def waits_of_typing(backend: HttpBackend, seconds: float, until: asyncio.Event | None = None) -> list[float]:
    """Seconds that each suggestion took, while somebody types a line again and again.

    Args:
        until: ends it before the time is over.
    """
    line, waits = "area(width, height) / perimeter(width, height)", []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not (until and until.is_set()):
        for typed in range(0, len(line), 3):
            began = time.monotonic()
            request = InfillRequest(_CODE + line[:typed], "\n", 12, document="typed")
            await collect(backend.infill(request))
            waits.append(time.monotonic() - began)
            await asyncio.sleep(max(0.0, _KEY_S - waits[-1]))
            if until and until.is_set():
                break
    return waits


async def beside_a_load(small: EngineSpec, seconds: float) -> tuple[list[float], list[float], float]:
    """Waits on a quiet machine and while the flagship's stand-in is tried out and loaded, and how long that took."""
    backend = await attach(small)
    quiet = (await waits_of_typing(backend, seconds))[5:]
    with tempfile.TemporaryDirectory() as folder:
        shards = flagship.write(Path(folder))
        large = EngineSpec("flagship", shards[0], 4096, n_gpu_layers=0, n_threads=0, port=0, idle_minutes=5)
        loaded = asyncio.Event()
        began = time.monotonic()

        async def load() -> None:
            try:
                await (await attach(large)).aclose()
            except ShardlightError as error:
                print(f"It did not come up: {error}")
            finally:
                loaded.set()

        loading = asyncio.create_task(load())
        meanwhile = await waits_of_typing(backend, 600.0, loaded)
        await loading
        took = time.monotonic() - began
        if record := runtime.read(large.name):
            end(record)
    await backend.aclose()
    return quiet, meanwhile, took


def _engine_spec() -> EngineSpec:
    settings = Settings()
    store = store_from(settings.models.directory, registry_mirror=False)
    path = store.locate(store.resolve(_MODEL, "completion", lambda _model: True)).path
    return EngineSpec(_MODEL, path, 4096, 0, 0, 0, 30)


async def _windows(number: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for i in range(20):
            code = f"def function_{i}(value):\n    return value + {i}\n"
            (root / f"module_{i}.py").write_text(code, encoding="utf-8")
        one, many = await memory_of_windows(root, 1), await memory_of_windows(root, number)
    rows = [
        "| windows | engines | servers | engine | the whole | against a model in each window |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for n, memory in ((1, one), (number, many)):
        sizes = (human_size(size) for size in (memory.servers, memory.engines, memory.whole))
        rows.append(f"| {n} | {memory.n_engines} | {' | '.join(sizes)} | {memory.whole / (n * one.whole):.2f} × |")
    return [*rows, "", "Memory is proportional set size: pages that processes share are divided among them."]


async def _load(seconds: float) -> list[str]:
    small = _engine_spec()
    quiet, meanwhile, took = await beside_a_load(small, seconds)
    middle = statistics.median(meanwhile) / statistics.median(quiet)
    slow = percentile(meanwhile, 0.95) / percentile(quiet, 0.95)
    told = (
        f"Suggestions of 12 tokens, {len(quiet)} on a machine that does nothing else, {len(meanwhile)} while another "
        f"engine tries out and loads 61 GB of holes, which took {took:.0f} s."
    )
    head = ["| wait for a suggestion | while it loads, against before |", "|---|--:|"]
    return [told, "", *head, f"| median | {middle:.2f} × |", f"| 95th percentile | {slow:.2f} × |"]


def main() -> int:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharing", description=__doc__)
    parser.add_argument("what", choices=["windows", "load"])
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0, help="of typing before the load")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        try:
            measured = _windows(args.windows) if args.what == "windows" else _load(args.seconds)
            write_markdown(f"sharing-{args.what}", f"python -m benchmarks.sharing {args.what}", asyncio.run(measured))
        finally:
            for record in runtime.all_running():
                end(record)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
