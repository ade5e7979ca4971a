"""A piece of another place in the workspace, as a model may be shown it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text of another file; ``path`` is relative to the workspace, with forward slashes."""

    path: str
    text: str
