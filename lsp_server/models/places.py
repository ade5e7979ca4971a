"""Where models' files are: in a folder of the store's own, in Hugging Face's cache, or wherever a user has them.

A glance: nothing is read but the store's own notes, so nothing is vouched for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lsp_server.models import hub_cache
from lsp_server.models.catalog import ModelFile
from lsp_server.models.ledger import Ledger, read_json, write_json
from lsp_server.models.reference import CatalogRef, HubRef, ModelRef, PathRef
from lsp_server.models.shards import shard_names

# Which files a model has that was pulled by a Hugging Face id: known only to the hub until then.
_NOTE = "model.json"


class Places:
    """The places of one store.

    Args:
        directory: the store's folder; it need not exist.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def folder(self, ref: ModelRef) -> Path:
        """A model's own folder in the store."""
        if isinstance(ref, CatalogRef):
            return self._directory / ref.id
        # Ids that differ only in punctuation must not share a folder.
        digest = hashlib.sha256(ref.id.encode()).hexdigest()[:8]
        return self._directory / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', ref.id)[-80:].strip('-.')}-{digest}"

    def lock_file(self, ref: ModelRef) -> Path:
        """What is locked by whoever changes a model's files."""
        return self._directory / ".locks" / f"{self.folder(ref).name}.lock"

    def ledger(self, ref: ModelRef) -> Ledger:
        """Which of a model's files have been verified."""
        return Ledger(self.folder(ref))

    def files(self, ref: ModelRef) -> tuple[ModelFile, ...]:
        """The files a model should have; none if that is known only to a hub that has not been asked yet."""
        if isinstance(ref, CatalogRef):
            return ref.model.files
        if isinstance(ref, PathRef):
            return tuple(ModelFile(name) for name in shard_names(ref.path.name))
        if ref.filename:
            return tuple(ModelFile(name) for name in shard_names(ref.filename))
        names = (read_json(self.folder(ref) / _NOTE) or {}).get("files")
        return tuple(ModelFile(str(name)) for name in names) if isinstance(names, list) else ()

    def paths(self, ref: ModelRef) -> tuple[Path, ...] | None:
        """All files of a model, None if incomplete; from one place, for llama.cpp looks for shards beside the first."""
        files = self.files(ref)
        if not files:
            return None
        if isinstance(ref, PathRef):
            own = [ref.path.parent / file.name for file in files]
            return tuple(own) if all(path.is_file() for path in own) else None
        own = [self.folder(ref) / Path(file.name).name for file in files]
        if all(path.is_file() for path in own):
            return tuple(own)
        cached = [hub_cache.cached_file(ref.repository, file.name) for file in files]
        found = tuple(path for path in cached if path is not None)
        return found if len(found) == len(files) else None

    def path(self, ref: CatalogRef | HubRef, file: ModelFile) -> Path | None:
        """Where one file is, if it is here; the others may be missing."""
        own = self.folder(ref) / Path(file.name).name
        return own if own.is_file() else hub_cache.cached_file(ref.repository, file.name)

    def note(self, ref: HubRef, names: Sequence[str]) -> None:
        """Remember which files a model of the hub has."""
        write_json(self.folder(ref) / _NOTE, {"id": ref.id, "files": list(names)})

    def noted(self) -> Iterator[str]:
        """The ids of the models whose files were noted."""
        for note in sorted(self._directory.glob(f"*/{_NOTE}")):
            id_ = (read_json(note) or {}).get("id")
            if isinstance(id_, str):
                yield id_
