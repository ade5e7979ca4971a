"""The first bytes of a GGUF file: enough to refuse what is none."""

from __future__ import annotations

import struct
from pathlib import Path

from lsp_server.errors import InvalidModelFileError

MAGIC = b"GGUF"
_VERSIONS = (2, 3)


def check_magic(path: Path) -> None:
    """Make sure that a file begins like a GGUF that llama.cpp reads.

    Raises:
        InvalidModelFileError: it cannot be read, is no GGUF, is big-endian, or has a version other than 2 and 3.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise InvalidModelFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(head) < 8 or head[:4] != MAGIC:
        raise InvalidModelFileError(f"{path} is not a GGUF file.", hint="Models must be in llama.cpp's GGUF format.")
    (version,) = struct.unpack("<I", head[4:])
    if version in _VERSIONS:
        return
    (swapped,) = struct.unpack(">I", head[4:])
    if swapped in _VERSIONS:
        raise InvalidModelFileError(
            f"{path} is a big-endian GGUF file.", hint="Get the little-endian file; this machine cannot read the other."
        )
    raise InvalidModelFileError(
        f"{path} has GGUF version {version}; versions 2 and 3 are supported.", hint="Convert or download it anew."
    )
