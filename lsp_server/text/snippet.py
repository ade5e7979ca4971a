"""A piece of another place in the workspace, as a model may be shown it."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.text.secrets import masked


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text of another file; ``path`` is relative to the workspace, with forward slashes."""

    path: str
    text: str

    @classmethod
    def shown(cls, path: str, text: str) -> Snippet:
        """What is taken from a file of the workspace: without the keys that are found in it."""
        return cls(path, masked(text))
