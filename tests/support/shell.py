"""A shell as a project's would be, within this process: for what is made of what it says."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lsp_server.testing.shell import PythonShell, Seen, seen_in
from lsp_server.testing.shell_process import Shell


class LocalShell(PythonShell):
    """A shell over a module with a source, all of whose lines are watched."""

    def __init__(self, source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The module is importable while the test runs."""
        file = folder / "calc.py"
        module = ModuleType("calc")
        exec(compile(source, str(file), "exec"), vars(module))  # noqa: S102
        monkeypatch.setitem(sys.modules, "calc", module)
        self._shell = Shell("calc", str(file), 1, 1000, str(folder))
        self._shell.forget()

    async def forget(self) -> Seen:
        """See ``PythonShell``."""
        self._shell.forget()
        return Seen()

    async def run(self, code: str) -> Seen:
        """See ``PythonShell``; what is said goes the same way."""
        # In a thread of its own, which has no loop yet: a shell runs what is async.
        return seen_in(json.loads(json.dumps(await asyncio.to_thread(self._shell.run, code))))
