"""The models known by name, read from ``catalog.toml``."""

from __future__ import annotations

import difflib
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from lsp_server.errors import UnknownModelError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Role = Literal["completion", "assistant"]
FimLayout = Literal["suffix-first", "prefix-first"]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    Attributes:
        name: path inside its repository, with ``/``.
        size: bytes; exact where ``sha256`` is given, else an estimate for planning. None: unknown.
        sha256: 64 lower-case hex digits. None: not pinned.
    """

    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RegistryMirror:
    """Data packages on a Python package registry that hold a model's only file in pieces, in order."""

    packages: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """One model of the catalog; ``files`` in shard order, the first is the one to load."""

    name: str
    title: str
    roles: tuple[str, ...]
    repository: str
    files: tuple[ModelFile, ...]
    licence: str
    commercial_use: bool
    fim: bool
    mirror: RegistryMirror | None = None

    @property
    def size(self) -> int | None:
        """Bytes of all files; None if any is unknown."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models by name, what ``auto`` prefers, and how each architecture wants its hole presented."""

    models: dict[str, CatalogModel]
    preferences: dict[str, tuple[str, ...]]
    fim_layouts: dict[str, FimLayout]

    @classmethod
    def load(cls) -> Catalog:
        """The catalog that ships with Shardlight; read once a process."""
        return _shipped()

    @classmethod
    def parse(cls, text: str) -> Catalog:
        """Read a catalog from TOML in the form of ``catalog.toml``.

        Raises:
            KeyError: a field is missing, or ``auto`` names a model that is not there.
        """
        data = tomllib.loads(text)
        models = {entry["name"]: _model(entry) for entry in data["models"]}
        preferences = {role: tuple(models[name].name for name in names) for role, names in data["auto"].items()}
        return cls(models, preferences, dict(data["fim_layouts"]))

    def __iter__(self) -> Iterator[CatalogModel]:
        return iter(self.models.values())

    def __contains__(self, name: str) -> bool:
        return name in self.models

    def get(self, name: str) -> CatalogModel:
        """The model of that name.

        Raises:
            UnknownModelError: there is none; the hint offers near names.
        """
        try:
            return self.models[name]
        except KeyError:
            raise UnknownModelError(f"No model is called {name!r}.", hint=self._near(name)) from None

    def auto(self, role: Role) -> tuple[CatalogModel, ...]:
        """What ``auto`` tries for a role, best first."""
        return tuple(self.models[name] for name in self.preferences[role])

    def fim_layout(self, architecture: str) -> FimLayout:
        """Whether models of a GGUF ``general.architecture`` fill holes better with the suffix or the prefix first."""
        return self.fim_layouts.get(architecture, self.fim_layouts["default"])

    def _near(self, name: str) -> str:
        near = difflib.get_close_matches(name.lower(), self.models, n=3, cutoff=0.5)
        if near:
            return f"Did you mean {' or '.join(near)}?"
        return "`shardlight models list` shows the names; a path to a .gguf file or hf:org/repo works too."


@functools.cache
def _shipped() -> Catalog:
    text = resources.files("lsp_server.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    return Catalog.parse(text)


def _model(entry: dict[str, Any]) -> CatalogModel:
    mirror = entry.get("mirror")
    return CatalogModel(
        name=entry["name"],
        title=entry["title"],
        roles=tuple(entry["roles"]),
        repository=entry["repository"],
        files=tuple(ModelFile(file["name"], file.get("size"), file.get("sha256")) for file in entry["files"]),
        licence=entry["licence"],
        commercial_use=entry["commercial_use"],
        fim=entry["fim"],
        mirror=RegistryMirror(tuple(mirror["packages"]), mirror["version"]) if mirror else None,
    )
