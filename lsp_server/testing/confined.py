"""Running a program that a model has written: in an empty folder, sealed off (``guarded``), within limits."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lsp_server.errors import RefusedError
from lsp_server.testing.processes import started

_GUARDED = Path(__file__).with_name("guarded.py")
_MEMORY_MB = 1024
# Of what a program prints, its last words are enough.
_KEPT_BYTES = 4096
# A guard that refuses this refuses what the page on security says.
_PROBE = """
import os, socket, subprocess, sys

def refused(action, *arguments):
    try:
        action(*arguments)
    except PermissionError:
        return True
    return False

assert refused(open, os.path.join("..", "outside"), "w")
assert refused(subprocess.run, [sys.executable, "--version"])
assert refused(socket.create_connection, ("192.0.2.1", 9), 1)
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a program; ``reason`` says in a few words why it did not pass, and is empty if it did."""

    passed: bool
    reason: str = ""


async def run(program: str, *, timeout_s: float) -> Outcome:
    """Run a program of Python's; it passes if it comes to its end.

    It runs with this Python and none of this process's variables. It can change nothing outside a folder that is
    thrown away afterwards, start no program, talk to none, and takes no more than 1 GB of memory (on POSIX). That stops
    accidents and is no prison.
    """
    with tempfile.TemporaryDirectory(prefix="shardlight-", ignore_cleanup_errors=True) as scratch:
        file, proof = await asyncio.to_thread(_written, Path(scratch), program)
        said = await _said(file, timeout_s)
        if proof.exists():
            return Outcome(True)
        return Outcome(False, "took too long" if said is None else _reason(said))


async def check_guard() -> None:
    """Find out that the guard holds on this machine.

    Raises:
        RefusedError: it does not; then nothing that a model has written may be run here.
    """
    outcome = await run(_PROBE, timeout_s=30.0)
    if not outcome.passed:
        raise RefusedError(
            f"What a model writes cannot be run safely here ({outcome.reason}), so it is not run at all.",
            hint="`shardlight doctor` checks this Python.",
        )


def _written(scratch: Path, program: str) -> tuple[Path, Path]:
    """The program's file, and another one that it makes when it comes to its end."""
    # One level down, so that what a guard would let out is thrown away too.
    folder = scratch.resolve() / "inside"
    folder.mkdir()
    proof = folder / f"ended-{secrets.token_hex(8)}"
    file = folder / "program.py"
    # Whoever leaves early, with an exit code of 0 too, has not come to the end.
    end = f'\n\n__import__("builtins").open({str(proof)!r}, "x").close()\n'
    file.write_text(program + end, encoding="utf-8", errors="surrogatepass", newline="")
    return file, proof


async def _said(file: Path, timeout_s: float) -> str | None:
    """The last of what a program prints; None if it took too long, and nothing if it cannot be started."""
    folder = file.parent
    arguments = [sys.executable, "-s", "-B", str(_GUARDED), str(folder), "sealed", str(file)]
    kept = bytearray()

    async def listen(process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise RuntimeError("its output is a pipe")
        # It may print for as long as it is let: not into our memory.
        while piece := await process.stdout.read(65536):
            kept.extend(piece)
            del kept[:-_KEPT_BYTES]
        await process.wait()

    try:
        async with started(arguments, cwd=folder, environment=_variables(folder), memory_mb=_MEMORY_MB) as process:
            await asyncio.wait_for(listen(process), timeout_s)
    except asyncio.TimeoutError:
        return None
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return kept.decode("utf-8", "replace")


def _variables(folder: Path) -> dict[str, str]:
    """All that a program has: the same order of sets each time, and what the system cannot do without."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    here = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), str(folder))
    return {**kept, **here, "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8", "OPENBLAS_NUM_THREADS": "1"}


def _reason(said: str) -> str:
    """The last line of a traceback, as a reason."""
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith(" ")]
    return lines[-1].strip()[:200] if lines else "ended early"
