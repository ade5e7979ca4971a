"""What is taken down: each minute a line of JSON."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any


class Record:
    """The file, and what has happened since its last line of a minute."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = time.monotonic()
        self._latencies: dict[str, list[float]] = defaultdict(list)
        self._counts: Counter[str] = Counter()

    def answered(self, kind: str, seconds: float) -> None:
        """A request of that kind had its answer."""
        self._latencies[kind].append(round(seconds * 1000, 2))

    def count(self, what: str) -> None:
        """Something was done once more."""
        self._counts[what] += 1

    def event(self, what: str, **more: Any) -> None:
        """Something that does not happen every minute."""
        self._write({"kind": "event", "what": what, **more})

    def start(self, **more: Any) -> None:
        """What is about to be done."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("", encoding="utf-8")
        self._write({"kind": "start", **more})

    def minute(self, **more: Any) -> None:
        """What a minute was like, with all that has happened in it."""
        self._write({"kind": "minute", "latencies": self._latencies, "counts": self._counts, **more})
        self._latencies, self._counts = defaultdict(list), Counter()

    def end(self, **more: Any) -> None:
        """What is left when all are gone."""
        self._write({"kind": "end", **more})

    def _write(self, line: dict[str, Any]) -> None:
        line = {"at_s": round(time.monotonic() - self._began, 2), **line}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a file; a last one that was not written to its end is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found
