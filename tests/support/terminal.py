"""A command in a terminal, as a person sees and stops it; not on Windows."""

from __future__ import annotations

import os
import sys


class Terminal:
    """``shardlight`` with these arguments, in a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        import pty

        self.shown = b""
        self._pid, self._descriptor = pty.fork()
        if not self._pid:
            os.execv(sys.executable, [sys.executable, "-m", "lsp_server", *arguments])  # noqa: S606

    def until(self, words: bytes) -> None:
        """Wait until something is shown."""
        while words not in self.shown:
            self.shown += os.read(self._descriptor, 65536)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._descriptor, keys)

    def exit_code(self) -> int:
        """Read on until the command ends."""
        while True:
            try:
                if not (piece := os.read(self._descriptor, 65536)):
                    break
                self.shown += piece
            except OSError:  # how Linux tells that nobody is at the other end any more
                break
        os.close(self._descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
