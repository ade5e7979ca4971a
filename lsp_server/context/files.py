"""The workspace's files with what was worked out from them, for as long as they stay as they are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from lsp_server.context.workspace import Workspace

T = TypeVar("T")

# More than one prompt ever looks at; some MB of text.
_KEPT = 64


class _File:
    """One file at one state."""

    def __init__(self, state: object, text: str | None) -> None:
        self.state = state
        self.text = text
        self.derived: dict[Callable[[Path, str], Any], Any] = {}


class FileCache:
    """Reads files through a `Workspace`, each state of them once; safe to share between threads.

    A file on disk counts as unchanged while its size and time of change are, an open document while its text is.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[Path, _File] = OrderedDict()
        self._lock = threading.Lock()

    def text(self, path: Path, workspace: Workspace) -> str | None:
        """As `Workspace.read`."""
        return self._file(path, workspace).text

    def derived(self, path: Path, workspace: Workspace, compute: Callable[[Path, str], T]) -> T | None:
        """``compute(path, text)``, worked out once; None where there is no text."""
        file = self._file(path, workspace)
        if file.text is None:
            return None
        if compute not in file.derived:
            file.derived[compute] = compute(path, file.text)
        return cast(T, file.derived[compute])

    def _file(self, path: Path, workspace: Workspace) -> _File:
        withheld = workspace.withholds(path)
        state: object = None if withheld else workspace.open_text(path)
        if state is None and not withheld:
            try:
                found = path.stat()
                state = found.st_mtime_ns, found.st_size
            except OSError:
                state = None
        with self._lock:
            file = self._files.get(path)
            if file is None or file.state != state:
                file = _File(state, None if state is None else workspace.read(path))
                self._files[path] = file
            self._files.move_to_end(path)
            while len(self._files) > _KEPT:
                self._files.popitem(last=False)
            return file
