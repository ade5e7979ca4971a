"""Running freshly generated tests with the project's own Python: in a copy of the workspace, within limits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.test_sites import TestSite
from lsp_server.features.types import TestRun

_SUMMARY_LINE = re.compile(
    r"^(?P<outcome>PASSED|FAILED|ERROR) [^\n]*?::(?P<name>\w+(?:\[[^\n]*?\])?)(?: - (?P<message>[^\n]*))?$",
    re.MULTILINE,
)


# A larger workspace is not copied: then the tests run beside it, in a folder of their own.
_MOST_FILES, _MOST_BYTES = 3000, 50_000_000
_NOT_COPIED = shutil.ignore_patterns(".*", "venv", "node_modules", "__pycache__")
# Where the system has no such limit, none is set.
_WITHIN_LIMITS = """
import sys
try:
    import resource
    limit = int(sys.argv.pop(1))
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
except (ImportError, OSError, ValueError):
    pass
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


@dataclass(frozen=True)
class PytestBench:
    """A ``TestBench`` for Python.

    Attributes:
        trusted: whether code of this workspace may be run at all.
        timeout_s: longest run, in seconds.
        memory_mb: how much memory a run may take.
    """

    site: TestSite
    trusted: bool
    timeout_s: int
    memory_mb: int = 4096

    async def run(self, source: str) -> TestRun:
        """Run the tests in a copy of the workspace that is thrown away, with that on the path."""
        if not self.trusted:
            return TestRun(trouble="the workspace is not trusted.")
        python = await _python_with_pytest(self.site.root)
        if python is None:
            return TestRun(trouble="no Python with pytest was found (neither .venv in the workspace nor on PATH).")
        with tempfile.TemporaryDirectory(prefix="shardlight-") as folder:
            test_file = Path(folder) / f"{self.site.path.stem}_new.py"
            test_file.write_text(source, encoding="utf-8")
            root = await asyncio.to_thread(_copied, self.site.root, Path(folder) / "workspace")
            paths = [str(root / "src"), str(root), os.environ.get("PYTHONPATH", "")]
            environment = {
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                "PYTHONDONTWRITEBYTECODE": "1",
                "COLUMNS": "400",  # else pytest cuts the reasons short
                # Plugins of the environment may write files or talk to services.
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTEST_ADDOPTS": "",
            }
            limit = str(self.memory_mb * 1024 * 1024)
            command = [python, "-c", _WITHIN_LIMITS, limit, "-q", "-p", "no:cacheprovider", "--rootdir", folder]
            command += ["-c", os.devnull, "-rA", "--tb=line", str(test_file)]
            copied = root != self.site.root
            cwd = root if copied else Path(folder)
            output = await _run(command, cwd=cwd, environment=environment, timeout_s=self.timeout_s)
            if output is None:
                return TestRun(failed={"": f"they did not finish within {self.timeout_s} s"})
            return read_summary(output)


def _copied(root: Path, to: Path) -> Path:
    """A copy of a workspace, or the workspace itself if it is too large or cannot be copied."""
    files = size = 0
    for folder, names, found in os.walk(root):
        left_out = _NOT_COPIED(folder, [*names, *found])
        names[:] = [name for name in names if name not in left_out]
        with contextlib.suppress(OSError):
            size += sum((Path(folder) / name).stat().st_size for name in found if name not in left_out)
        files += len(found)
        if files > _MOST_FILES or size > _MOST_BYTES:
            return root
    try:
        return Path(shutil.copytree(root, to, symlinks=True, ignore=_NOT_COPIED))
    except (OSError, shutil.Error):
        return root


def read_summary(output: str) -> TestRun:
    """The outcome of each test from pytest's short summary (``-rA``)."""
    passed: set[str] = set()
    failed: dict[str, str] = {}
    for match in _SUMMARY_LINE.finditer(output):
        name = match["name"].split("[")[0]
        if match["outcome"] == "PASSED":
            passed.add(name)
        else:
            failed[name] = match["message"] or "failed"
    if not passed and not failed:
        # Collection failed: the last error line says why (a module that cannot be imported, say).
        reasons = [line[1:].strip() for line in output.splitlines() if line.startswith("E ")]
        return TestRun(failed={"": reasons[-1] if reasons else "pytest found no test"})
    return TestRun(frozenset(passed - failed.keys()), failed)


async def _python_with_pytest(root: Path) -> str | None:
    """The project's Python if it has pytest, else another one that has it."""
    folder, name = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    candidates = [root / ".venv" / folder / name, root / "venv" / folder / name]
    if active := os.environ.get("VIRTUAL_ENV"):
        candidates.append(Path(active) / folder / name)
    usable = [str(c) for c in candidates if c.is_file()]
    for python in [*usable, sys.executable, "python3"]:
        output = await _run([python, "-c", "import pytest; print('here')"], cwd=root, environment=None, timeout_s=20)
        if output is not None and output.strip().endswith("here"):
            return python
    return None


async def _run(command: list[str], *, cwd: Path, environment: dict[str, str] | None, timeout_s: int) -> str | None:
    """The output of a command (both streams); None if it took too long. It is ended when we are cancelled."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError:
        return ""
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout_s)
        return output.decode("utf-8", "replace")
    except asyncio.TimeoutError:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
                await process.wait()
