"""What was asked and judged, kept as JSON lines: a run that broke off goes on, and nothing is asked or judged twice."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system said to a hole.

    Attributes:
        start, end, text: the edit it offers, offsets in the file with the hole; no text is no offer.
        raw: what its model said, where it is known.
    """

    hole: str
    start: int
    end: int
    text: str
    ms: float
    raw: str = ""

    def applied(self, text: str) -> str:
        """The file when it was accepted."""
        return text[: self.start] + self.text + text[self.end :] if self.text else text


class Answers:
    """The answers of one system, by hole."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not resume:
            path.unlink(missing_ok=True)
        self._found = {line["hole"]: Answer(**line) for line in _lines(path)}
        self._asked: set[str] = set()

    def __contains__(self, hole: str) -> bool:
        return hole in self._found

    def __getitem__(self, hole: str) -> Answer:
        return self._found[hole]

    def add(self, answer: Answer) -> None:
        """Keep one."""
        self._found[answer.hole] = answer
        self._asked.add(answer.hole)
        _append(self._path, asdict(answer))

    def kept(self, holes: list[str]) -> int:
        """To how many of these holes the answer is from an earlier run."""
        return sum(hole in self._found and hole not in self._asked for hole in holes)


class Verdicts:
    """Whether tests passed, by what was run. It may be used from several threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._found: dict[str, bool] = {line["of"]: line["passes"] for line in _lines(path)}

    def get(self, key: str) -> bool | None:
        """The verdict, None if there is none yet."""
        return self._found.get(key)

    def add(self, key: str, passes: bool) -> None:
        """Keep one."""
        with self._lock:
            self._found[key] = passes
            _append(self._path, {"of": key, "passes": passes})


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; a run that was ended may have left a half one."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def _append(path: Path, value: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(value, ensure_ascii=True) + "\n")
