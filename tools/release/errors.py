"""What keeps a release from being made."""

from __future__ import annotations


class ReleaseError(Exception):
    """A release cannot be made, or is not what it should be; says why, and the way out where there is one."""
