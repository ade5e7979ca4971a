"""What a builder is told, and what it says by how it ends."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

LEFT_OUT = 3
"""The exit status of a builder that is done and found more files than may be indexed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a builder is to do.

    Attributes:
        exclude: globs as in a ``.gitignore``.
        max_files: the first so many files are indexed, by folder; 0 to have the index deleted.
        paths: files and folders that may have changed, relative to the workspace folder; None to look at all of it.
    """

    exclude: tuple[str, ...] = ()
    max_files: int = 200_000
    paths: tuple[str, ...] | None = None

    def to_json(self) -> str:
        """As one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Order:
        """From what `to_json` wrote."""
        value = json.loads(line)
        paths = value["paths"]
        return cls(tuple(value["exclude"]), value["max_files"], None if paths is None else tuple(paths))
