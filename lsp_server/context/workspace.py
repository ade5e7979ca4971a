"""The workspace's files as features see them: by path, open documents first, secrets never."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Never read into a prompt, whatever a user's code refers to.
SECRET_PATTERNS = (
    ".env",
    ".env.*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.crt",
    "*.jks",
    "*.keystore",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "*secret*",
    "*credential*",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".htpasswd",
)
# `secrets.py` is code about secrets; `secrets.yaml` holds them.
_CODE = (".py", ".ts", ".js", ".tsx", ".jsx", ".go", ".rs", ".java", ".rb", ".php", ".cs", ".kt")
_MAX_BYTES = 1_000_000


def is_secret(path: Path) -> bool:
    """Whether a file may hold secrets, judged by its name."""
    name = path.name.lower()
    loose = path.suffix.lower() in _CODE
    return any(
        fnmatch.fnmatchcase(name, p) for p in SECRET_PATTERNS if not (loose and p.startswith("*") and p.endswith("*"))
    )


@dataclass(frozen=True)
class Workspace:
    """Folders on disk, seen through the documents that are open.

    Attributes:
        roots: the workspace's folders, absolute. Empty for a single file without a folder.
        open_text: the text of an open document by path, or None.
    """

    roots: tuple[Path, ...]
    open_text: Callable[[Path], str | None]

    def root_of(self, path: Path) -> Path:
        """The folder that holds ``path``: the innermost root, else its parent."""
        holding = [root for root in self.roots if path.is_relative_to(root)]
        return max(holding, key=lambda root: len(root.parts), default=path.parent)

    def relative(self, path: Path) -> str:
        """The path relative to its root, with forward slashes: what a prompt may show."""
        return path.relative_to(self.root_of(path)).as_posix()

    def read(self, path: Path) -> str | None:
        """The text of a file: as it is open, else from disk. None for what is missing, secret, huge or not UTF-8."""
        if is_secret(path):
            return None
        if (text := self.open_text(path)) is not None:
            return text
        try:
            if not path.is_file() or path.stat().st_size > _MAX_BYTES:
                return None
            with path.open(encoding="utf-8", newline="") as file:
                return file.read()
        except (OSError, UnicodeDecodeError):
            return None
