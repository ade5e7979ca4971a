"""Links in a workspace folder: what is one, and where a path leads."""

from __future__ import annotations

import os
import stat
from pathlib import Path

# IO_REPARSE_TAG_MOUNT_POINT, which Python has a name for on Windows only.
_JUNCTION = 0xA0000003


def is_link(status: os.stat_result) -> bool:
    """Whether this, as ``lstat`` has it, is a link; a junction is one too, though Windows calls it a folder."""
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION


def leads_elsewhere(path: Path) -> bool:
    """Whether a path itself is a link; False for what is not there."""
    try:
        return is_link(path.lstat())
    except (OSError, ValueError):
        return False


def real_path(path: Path) -> Path:
    """Where a path leads, be there something or not."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:
        # No path has a null character.
        return path


def led_to(path: Path, root: Path) -> Path | None:
    """Where a path below ``root`` leads, as a path below ``root``; None if that is outside."""
    real, real_root = real_path(path), real_path(root)
    return root / real.relative_to(real_root) if real.is_relative_to(real_root) else None
