"""Reading Hugging Face's own cache on this machine, shared with every other tool that uses it."""

from __future__ import annotations

import re
from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")


def cached_file(repository: str, filename: str) -> Path | None:
    """A repository's file if the cache has it (in the revision that was last downloaded)."""
    from huggingface_hub import try_to_load_from_cache  # late: importing it takes a fifth of a second

    found = try_to_load_from_cache(repository, filename)
    return Path(found) if isinstance(found, str) else None


def blob_of(path: Path) -> Path | None:
    """The bytes behind a cached file, which is a link to them (save where the system has no links).

    None also for links that are not the cache's: what they lead to is none of our business.
    """
    if not path.is_symlink():
        return None
    target = path.parent / path.readlink()
    return target if target.parent.name == "blobs" else None


def published_sha256(path: Path) -> str | None:
    """The checksum that the hub has published for a cached file: its bytes are named by it. None: not to be told."""
    blob = blob_of(path)
    return blob.name if blob is not None and is_sha256(blob.name) else None


def is_sha256(text: str) -> bool:
    """Whether a hub checksum is a SHA-256 (large files) and not a git object id (small ones)."""
    return _SHA256.fullmatch(text) is not None


def evict(path: Path) -> None:
    """Delete a cached file: the link, and the bytes that it leads to."""
    blob = blob_of(path)
    if blob is not None:
        blob.unlink(missing_ok=True)
    path.unlink(missing_ok=True)
