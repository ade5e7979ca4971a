"""Which file of a repository ``hf:org/repo[:quant]`` means, as llama.cpp's ``-hf`` reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsp_server.errors import UnknownModelError
from lsp_server.models.reference import DEFAULT_QUANT, HubRef
from lsp_server.models.shards import shard_names

# Companions of a model that llama.cpp also ships as GGUF.
_NOT_A_MODEL = re.compile(r"mmproj|imatrix", re.IGNORECASE)


def choose_file(names: Sequence[str], ref: HubRef) -> str:
    """The file to load (first shard of a set) among all names of a repository.

    Without a quantization: the default one if there is one, else the first file. A quantization that is there both
    as one file and as shards means the one file.

    Raises:
        UnknownModelError: no GGUF file, or none of that quantization.
    """
    models = [
        name
        for name in sorted(names)
        if name.lower().endswith(".gguf") and not _NOT_A_MODEL.search(name) and shard_names(name)[0] == name
    ]
    models.sort(key=lambda name: len(shard_names(name)) > 1)
    if not models:
        raise UnknownModelError(f"{ref.repository} has no GGUF file.", hint="Look for a repository that ends in -GGUF.")
    wanted = re.compile(rf"(?<![A-Za-z0-9]){re.escape(ref.quant or DEFAULT_QUANT)}(?![A-Za-z0-9_])", re.IGNORECASE)
    matching = [name for name in models if wanted.search(name)]
    if matching:
        return matching[0]
    if ref.quant:
        raise UnknownModelError(
            f"{ref.repository} has no file of quantization {ref.quant}.", hint=f"It has: {', '.join(models)}."
        )
    return min(models)
