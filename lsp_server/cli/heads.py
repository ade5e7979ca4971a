"""What commands look at a model by, whether it is here or not."""

from __future__ import annotations

import sys

from lsp_server.models.files import human_size
from lsp_server.models.gguf.shard_set import ShardSet
from lsp_server.models.reference import ModelRef
from lsp_server.models.store import ModelStore


def heads_of(ref: ModelRef, store: ModelStore) -> ShardSet:
    """The heads of a model's files; those of a model that is not here are fetched, which is said on stderr.

    Raises: as ``ModelStore.peek``.
    """
    peek = store.peek(ref)
    if peek.fetched_bytes:
        size = human_size(peek.fetched_bytes)
        sys.stderr.write(f"{ref.id} is not on this machine; only the heads of its files were read: {size}.\n")
    return peek.files
