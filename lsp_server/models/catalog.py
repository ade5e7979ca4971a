"""The models known by name, read from ``catalog.toml``."""

from __future__ import annotations

import difflib
import functools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, get_args

from lsp_server.errors import UnknownModelError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Role = Literal["completion", "assistant"]
FimOrder = Literal["suffix-first", "prefix-first"]
_FIM_ORDERS: tuple[FimOrder, ...] = get_args(FimOrder)


@dataclass(frozen=True, slots=True)
class FimLayout:
    """How the models of a family want a hole presented.

    Attributes:
        order: which of the two texts around the hole comes first.
        suffix_tokens: most tokens of the text behind the hole; None for as many as there is room for.
    """

    order: FimOrder
    suffix_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class MarkerTexts:
    """How the control tokens of a model family are spelled.

    Attributes:
        models: parts of names by which servers call such models, in lower case.
        prefix, suffix, middle: what stands before the text in front of the hole, the one behind it, and what fills it.
        repository, file: what stands before the names of a repository and of a file; empty: not in one text with holes.
        turns: how a conversation is spelled; empty: not known.
    """

    models: Sequence[str]
    order: FimOrder
    prefix: str
    suffix: str
    middle: str
    repository: str = ""
    file: str = ""
    turns: Literal["", "chatml"] = ""


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
    """All models by name, what ``auto`` prefers, how each architecture wants its hole presented, and spellings."""

    models: dict[str, CatalogModel]
    preferences: dict[str, tuple[str, ...]]
    fim_layouts: dict[str, FimLayout]
    marker_texts: tuple[MarkerTexts, ...] = ()

    @classmethod
    def load(cls) -> Catalog:
        """The catalog that ships with Shardlight; read once a process."""
        return _shipped()

    @classmethod
    def parse(cls, text: str) -> Catalog:
        """Read a catalog from TOML in the form of ``catalog.toml``.

        Raises:
            KeyError: a field or the default layout is missing, or ``auto`` names a model that is not there.
            ValueError: a layout is something else than an order and a number of tokens.
        """
        data = tomllib.loads(text)
        models = {entry["name"]: _model(entry) for entry in data["models"]}
        preferences = {role: tuple(models[name].name for name in names) for role, names in data["auto"].items()}
        layouts = {architecture: _layout(architecture, entry) for architecture, entry in data["fim_layouts"].items()}
        _ = layouts["default"]  # What every unknown architecture gets.
        return cls(models, preferences, layouts, tuple(MarkerTexts(**entry) for entry in data.get("marker_texts", ())))

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

    def spelled(self, model: str) -> MarkerTexts | None:
        """How the control tokens of a model are spelled, by the name that a server has for it; None if not known."""
        name = model.lower()
        return next((texts for texts in self.marker_texts if any(part in name for part in texts.models)), None)

    def auto(self, role: Role) -> tuple[CatalogModel, ...]:
        """What ``auto`` tries for a role, best first."""
        return tuple(self.models[name] for name in self.preferences[role])

    def fim_layout(self, architecture: str) -> FimLayout:
        """How models of a GGUF ``general.architecture`` fill holes best."""
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


def _layout(architecture: str, entry: Any) -> FimLayout:
    def wrong(what: str) -> ValueError:
        return ValueError(f"fim_layouts.{architecture}: {what}")

    if not isinstance(entry, dict):
        raise wrong("it must be a table")
    if unknown := entry.keys() - {"order", "suffix_tokens"}:
        raise wrong(f"{', '.join(sorted(unknown))} is not known")
    suffix_tokens = entry.get("suffix_tokens")
    order = next((order for order in _FIM_ORDERS if order == entry.get("order")), None)
    if order is None:
        raise wrong(f"order must be one of {', '.join(_FIM_ORDERS)}, not {entry.get('order')!r}")
    if suffix_tokens is None and order == "prefix-first":
        raise wrong("suffix_tokens is missing, and each keystroke evaluates them")
    if suffix_tokens is not None and (type(suffix_tokens) is not int or suffix_tokens < 1):
        raise wrong(f"suffix_tokens must be a positive number, not {suffix_tokens!r}")
    return FimLayout(order, suffix_tokens)


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
