"""The flagship's shape, for real: ``make flagship``.

Writes a full-size stand-in for DeepSeek-V4-Flash, two shards with its heads and holes for weights (61 GB to look at, a
few MB on the disk), has the engine load it from its first shard as planned for this machine, generates some tokens, and
prints planned bytes against allocated ones. It proves loading and memory; holes say nothing about speed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil

from lsp_server.engine import runtime
from lsp_server.errors import ShardlightError
from lsp_server.inference.launcher import EngineSpec, attach
from lsp_server.models.blueprint import load_blueprint
from lsp_server.models.files import human_size
from tools.gguf_files import write_files

FLAGSHIP = "deepseek-v4-flash"
_BLOCK = 512  # what st_blocks counts in
_PROMPT = "def fibonacci(n):\n    "


def write(folder: Path) -> tuple[Path, ...]:
    """Write the shards into a folder that is made if it is missing; returns their paths, the one to load first."""
    return write_files(load_blueprint(FLAGSHIP), folder, random=False)


def describe(path: Path) -> str:
    """How large a file looks and is."""
    status = path.stat()
    # Windows does not tell what a file really takes.
    real = f", {human_size(status.st_blocks * _BLOCK)} on the disk" if hasattr(status, "st_blocks") else ""
    return f"{path.name}: {human_size(status.st_size)}{real}"


async def run(first_shard: Path, n_ctx: int, n_tokens: int) -> int:
    """Load, generate, print; 0 if planned and allocated bytes agree."""
    spec = EngineSpec(FLAGSHIP, first_shard, n_ctx, n_gpu_layers=-1, n_threads=0, port=0, idle_minutes=5)
    begun, shown = time.monotonic(), -1

    def progress(fraction: float) -> None:
        nonlocal shown
        if int(fraction * 10) > shown:
            shown = int(fraction * 10)
            print(f"  loading: {fraction:.0%} after {time.monotonic() - begun:.0f} s", flush=True)

    print("Tried in a process that may die first, then loaded: together some two minutes.", flush=True)
    await (await attach(spec, progress)).aclose()
    print(f"Ready after {time.monotonic() - begun:.0f} s.")
    record = runtime.read(spec.name)
    if record is None:
        print("The engine is gone.", file=sys.stderr)
        return 1
    async with httpx.AsyncClient(base_url=record.url, headers=record.headers, timeout=600, trust_env=False) as client:
        try:
            load = (await client.get("/props")).json()["plan"]
            kept = _print_memory(load)
            begun = time.monotonic()
            body = {"prompt": _PROMPT, "max_tokens": n_tokens, "temperature": 0}
            answer = (await client.post("/v1/completions", json=body)).json()
            usage = answer["usage"]
            print(
                f"\nGenerated {usage['completion_tokens']} tokens after a prompt of {usage['prompt_tokens']} in "
                f"{time.monotonic() - begun:.0f} s (from holes: the text is noise, the speed says nothing)."
            )
            held, ram = psutil.Process(record.pid).memory_info().rss, psutil.virtual_memory().total
            print(f"The engine holds {human_size(held)} of {human_size(ram)} of RAM, mapped pages included.")
        finally:
            await client.post("/shutdown")
    return 0 if kept and usage["completion_tokens"] else 1


def _print_memory(load: Mapping[str, Any]) -> bool:
    """The table of bytes for one context; whether weights and cache agree to 2 %, compute buffers to 15 %."""
    n = load["settings"]["n_contexts"]
    print("\n                planned       allocated")
    kept = True
    for kind, allowed, share in (("weights", 0.02, 1), ("kv", 0.02, n), ("compute", 0.15, n)):
        planned = sum(device[f"{kind}_bytes"] for device in load["devices"]) / share
        real = load["measured"][kind]
        off = planned / real - 1
        kept = kept and abs(off) <= allowed
        print(f"  {kind:<10} {planned / 2**20:>10,.2f} MiB {real / 2**20:>10,.2f} MiB   {off:+.1%}")
    for line in [*load["reasons"], *load["steps"]]:
        print(f"  • {line}")
    return kept


def main(arguments: list[str] | None = None) -> int:
    """Write the files, and load them."""
    parser = argparse.ArgumentParser(prog="python -m tools.flagship", description="The flagship's shape, for real.")
    parser.add_argument("--folder", type=Path, help="write the two files here and keep them, do not load them")
    parser.add_argument("--ctx", type=int, default=8192, help="context in tokens (default 8192)")
    parser.add_argument("--tokens", type=int, default=4, help="tokens to generate (default 4)")
    options = parser.parse_args(arguments)
    if options.folder:
        for path in write(options.folder):
            print(describe(path))
        return 0
    with tempfile.TemporaryDirectory(prefix="shardlight-flagship-") as folder:
        paths = write(Path(folder))
        for path in paths:
            print(describe(path))
        try:
            return asyncio.run(run(paths[0], options.ctx, options.tokens))
        except ShardlightError as error:
            print(error, file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
