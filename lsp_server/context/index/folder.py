"""One folder of the workspace, as the index has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.index.exclusions import Exclusions
from lsp_server.context.index.reader import Reader


@dataclass(frozen=True, slots=True)
class Folder:
    """What is known of a workspace folder.

    Attributes:
        reader, searcher: both read its index; a search takes so long that nobody else is to wait for it.
        inner: the workspace folders within it, whose files are theirs.
    """

    reader: Reader
    searcher: Reader
    exclusions: Exclusions
    inner: tuple[Path, ...]

    def owns(self, path: Path) -> bool:
        """Whether a file of the folder is in none of the inner ones."""
        return not any(path.is_relative_to(root) for root in self.inner)

    def relative(self, path: Path) -> str:
        """The path of a file of the folder relative to it, with forward slashes."""
        return path.relative_to(self.reader.root).as_posix()
