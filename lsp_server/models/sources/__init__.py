"""Where model files come from: one module a source, all with the same few methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lsp_server.models.gguf.shard_set import ShardSet
from lsp_server.models.reference import CatalogRef, HubRef
from lsp_server.models.transfer import Monitor


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that has arrived.

    Attributes:
        name: its path in the repository, as in ``ModelFile``.
        path: where it is, under its final name.
        sha256: what its bytes must hash to; None if nobody has promised anything.
        hashed: the source has compared already, while writing.
    """

    name: str
    path: Path
    sha256: str | None
    hashed: bool = False


@dataclass(frozen=True, slots=True)
class Peek:
    """The heads of a model's files, and the bytes that were fetched to read them (0: the files are here)."""

    files: ShardSet
    fetched_bytes: int = 0


class Source(Protocol):
    """A place that models can be fetched from."""

    name: str

    def offers(self, ref: CatalogRef | HubRef) -> bool:
        """Whether it is worth asking for this model at all."""

    def fetch(self, ref: CatalogRef | HubRef, folder: Path, monitor: Monitor) -> Sequence[Fetched]:
        """Fetch all files of a model, first shard first; ``folder`` is the model's own in the store.

        Raises:
            SourceUnavailableError: not to be had here (now); another source may be tried.
            UnknownModelError: the source has no such model.
            ChecksumError: the bytes are not the promised ones; they are set aside.
            DiskSpaceError: no room.
            DownloadError: cancelled.
        """

    def peek(self, ref: CatalogRef | HubRef) -> Peek:
        """Read the heads of a model's files and leave the rest, and the disk, alone.

        Raises:
            SourceUnavailableError: not to be had here (now), or only together with the rest.
            UnknownModelError: the source has no such model.
            ChecksumError: its files are not those that the catalog knows.
            InvalidModelFileError: a file is no usable GGUF, or the set is none; it is named.
        """
