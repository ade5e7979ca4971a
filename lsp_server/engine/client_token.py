"""A token for clients that are set up by hand: the same for every engine of this user, as long as the user wants it.

Our own clients read an engine's token from its record, where it is another at each start. The settings of an editor's
plugin cannot follow that. So there is a second one, once somebody has asked for it; it is kept like the records.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from filelock import FileLock

from lsp_server.engine import runtime

# Shorter than that it was not made here, or not all of it is there.
_LEAST_CHARS = 32


def path() -> Path:
    """Where it is kept."""
    return runtime.runtime_directory() / "client-token"


def read() -> str:
    """The token; empty if there is none, or it cannot be read."""
    try:
        token = path().read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return token if len(token) >= _LEAST_CHARS else ""


def made(*, anew: bool = False) -> str:
    """The token, which is made if there is none.

    Args:
        anew: make another one; the one before opens nothing any more.

    Raises:
        OSError: it cannot be written.
    """
    place = path()
    # Two shells that ask at the same time are to be told the same.
    with FileLock(place.with_suffix(".lock")):
        if not anew and (token := read()):
            return token
        token = secrets.token_urlsafe(32)
        runtime.write_private(place, f"{token}\n")
        return token
