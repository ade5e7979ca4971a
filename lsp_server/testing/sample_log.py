"""What came of answers to problems, in a file that an evaluation goes on from where it stopped.

JSON lines: first the conditions, then a sample each with ``task_id`` and ``completion`` as in HumanEval's own results.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lsp_server.errors import RefusedError
from lsp_server.testing.problems import Mode

_WHAT = "shardlight eval"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What has to be the same for two samples to be counted together.

    Attributes:
        problems: SHA-256 of the file of problems.
        timeout_s: seconds that a program may take.
    """

    model: str
    mode: Mode
    temperature: float
    max_tokens: int
    timeout_s: float
    problems: str


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer and what came of it.

    Attributes:
        sample: its number among those for its problem, from 0.
        result: ``passed``, or why not in a few words.
        tokens, seconds: what was written, and how long that took.
    """

    task_id: str
    sample: int
    completion: str
    passed: bool
    result: str
    tokens: int = 0
    seconds: float = 0.0


class SampleLog:
    """The file; ``done`` has what it had when it was opened, and what was added since."""

    def __init__(self, path: Path, conditions: Conditions) -> None:
        """Open a file, or begin one.

        Raises:
            RefusedError: it is of another evaluation, or of something else, or cannot be read or written.
        """
        self.path = path
        self.done: dict[tuple[str, int], Sample] = {}
        try:
            self._whole = self._read(conditions)
            with path.open("ab") as file:
                # The last line of one that was killed may be half there.
                file.truncate(self._whole)
                if not self._whole:
                    self._write(file, {"what": _WHAT, **asdict(conditions)})
        except OSError as error:
            raise self._refused(f"cannot be used: {error.strerror}") from error

    def add(self, sample: Sample) -> None:
        """Keep a sample; it is on the disk when this returns.

        Raises:
            RefusedError: it cannot be written.
        """
        try:
            with self.path.open("ab") as file:
                self._write(file, asdict(sample))
        except OSError as error:
            raise self._refused(f"cannot be written: {error.strerror}") from error
        self.done[sample.task_id, sample.sample] = sample

    def _write(self, file: BinaryIO, fields: dict[str, Any]) -> None:
        file.write(json.dumps(fields).encode() + b"\n")
        # Whole, or an error: `os.write` would leave half a line on a disk that is nearly full, and say nothing.
        file.flush()
        os.fsync(file.fileno())

    def _read(self, conditions: Conditions) -> int:
        """Take in what is there; returns how many bytes of it are whole lines."""
        if not self.path.exists():
            return 0
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        head, *lines = content[:whole].splitlines() or [b""]
        if not head:
            if content:
                raise self._refused("is no file of results")
            return 0
        self._compare(head, conditions)
        for line in lines:
            try:
                sample = Sample(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise self._refused("has a line that is no result") from error
            self.done[sample.task_id, sample.sample] = sample
        return whole

    def _compare(self, head: bytes, conditions: Conditions) -> None:
        try:
            there = json.loads(head)
        except ValueError as error:
            raise self._refused("is no file of results") from error
        if not isinstance(there, dict) or there.get("what") != _WHAT:
            raise self._refused("is no file of results")
        for name, value in asdict(conditions).items():
            if there.get(name) != value:
                raise self._refused(f"has results for another {name.replace('_', ' ')} ({there.get(name)})")

    def _refused(self, why: str) -> RefusedError:
        return RefusedError(f"{self.path} {why}.", hint="Name another file with --results, or remove that one.")
