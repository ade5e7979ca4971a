"""Running other people's programs: their output, within limits, and none of them left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

# A process whose server was killed is ended by what time it takes itself: seconds of all cores together.
_CPU_S = 600
_FENCED = Path(__file__).with_name("fenced.py")


async def output_of(
    arguments: list[str],
    *,
    cwd: Path,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
    memory_mb: int = 0,
    writes: Sequence[Path] = (),
) -> str | None:
    """What a command prints (both streams); empty if it cannot be started, None if it took too long.

    It is ended with all that it has started when it takes too long and when we are cancelled.

    Args:
        environment: all its variables; None for those of this process.
        memory_mb: how much memory each of its processes may take; 0 for any.
        writes: if any, it changes nothing outside of these folders and has no network, where the system can do that.
    """
    try:
        async with started(arguments, cwd=cwd, environment=environment, memory_mb=memory_mb, writes=writes) as process:
            output, _ = await asyncio.wait_for(process.communicate(), timeout_s)
            return output.decode("utf-8", "replace")
    except asyncio.TimeoutError:
        return None
    except OSError:
        return ""


@contextlib.asynccontextmanager
async def started(
    arguments: list[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    memory_mb: int = 0,
    writes: Sequence[Path] = (),
    talks: bool = False,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process with pipes, which is ended with all that it has started when the context is left.

    Args:
        environment: all its variables; None for those of this process.
        memory_mb: how much memory each of its processes may take; 0 for any.
        writes: if any, it changes nothing outside of these folders and has no network, where the system can do that.
        talks: it has an input, and its errors are lost; else it has none, and they are part of its output.

    Raises:
        OSError: it cannot be started.
    """
    posix = sys.platform != "win32"
    if (memory_mb or writes) and posix:
        # -1 is no limit.
        limits = [
            str(memory_mb * 1024 * 1024 or -1),
            str(_CPU_S),
            *(word for path in writes for word in ("--write", str(path))),
        ]
        arguments = [sys.executable, "-I", str(_FENCED), *limits, "--", *arguments]
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=cwd,
        env=environment,
        stdin=asyncio.subprocess.PIPE if talks else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL if talks else asyncio.subprocess.STDOUT,
        start_new_session=posix,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if posix:
                os.killpg(process.pid, signal.SIGKILL)
            elif process.returncode is None:
                process.kill()
        # What it has printed and nobody has read would keep its end from being seen.
        await process.communicate()
