"""What a user may write where a model is wanted."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lsp_server.errors import UnknownModelError
from lsp_server.models.catalog import Catalog, CatalogModel
from lsp_server.models.shards import shard_names

DEFAULT_QUANT = "Q4_K_M"
_HUB_PREFIX = "hf:"
# As the hub wants names; besides, neither `--` nor `..` may be in them.
_HUB_NAME = r"\w(?:[\w.-]{0,94}\w)?"
_HUB_FORM = re.compile(
    rf"(?P<repository>{_HUB_NAME}/{_HUB_NAME})(?:/(?P<filename>[^:]+\.gguf)|:(?P<quant>[\w.-]+))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class CatalogRef:
    """A model of the catalog."""

    model: CatalogModel

    @property
    def id(self) -> str:
        """Its name."""
        return self.model.name

    @property
    def repository(self) -> str:
        """Its repository on Hugging Face, as ``HubRef`` has it."""
        return self.model.repository


@dataclass(frozen=True, slots=True)
class PathRef:
    """A GGUF file of the user's; ``path`` is absolute, and the first shard's if there are several."""

    path: Path

    @property
    def id(self) -> str:
        """The absolute path."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class HubRef:
    """A file of a Hugging Face repository, or the best match for a quantization in it.

    Attributes:
        repository: ``org/repo``.
        filename: path inside the repository; empty to choose by ``quant``.
        quant: as in file names, upper case; empty for the default one, or the first file if there is none of it.
    """

    repository: str
    filename: str = ""
    quant: str = ""

    @property
    def id(self) -> str:
        """``hf:org/repo/file.gguf``, ``hf:org/repo:QUANT`` or ``hf:org/repo``."""
        tail = f"/{self.filename}" if self.filename else f":{self.quant}" if self.quant else ""
        return f"{_HUB_PREFIX}{self.repository}{tail}"


ModelRef: TypeAlias = "CatalogRef | PathRef | HubRef"


def parse_ref(text: str, catalog: Catalog) -> ModelRef:
    """Understand a model name: of the catalog, a path to a .gguf file, ``hf:org/repo[:quant]`` or ``hf:org/repo/file``.

    ``auto`` is none of these: it depends on the role and on what is installed (``ModelStore.resolve``).

    Raises:
        UnknownModelError: it is none of them, or the path leads nowhere.
    """
    text = text.strip()
    if text in catalog:
        return CatalogRef(catalog.get(text))
    if text.startswith(_HUB_PREFIX):
        return _hub_ref(text)
    if text.lower().endswith(".gguf") or text.startswith("~") or "/" in text or os.sep in text:
        return _path_ref(text)
    return CatalogRef(catalog.get(text))


def _hub_ref(text: str) -> HubRef:
    match = _HUB_FORM.fullmatch(text.removeprefix(_HUB_PREFIX))
    if match is None or ".." in text or "--" in match["repository"] or match["repository"].endswith(".git"):
        raise UnknownModelError(
            f"{text!r} is not a Hugging Face model id.",
            hint="Write hf:org/repo, hf:org/repo:QUANT or hf:org/repo/path/file.gguf.",
        )
    return HubRef(match["repository"], match["filename"] or "", (match["quant"] or "").upper())


def _path_ref(text: str) -> PathRef:
    try:
        path = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - resolve() would follow the user's links
        there = path.exists()
    except (OSError, RuntimeError) as error:  # too long; no such user's home
        why = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise UnknownModelError(f"{text!r} is no path to a .gguf file: {why}.") from error
    if not there:
        raise UnknownModelError(
            f"There is no file {path}.",
            hint=f"To use a Hugging Face repository, write hf:{text}." if text.count("/") == 1 else "",
        )
    if not path.is_file() or path.suffix.lower() != ".gguf":
        raise UnknownModelError(f"{path} is not a .gguf file.", hint="Name the file itself, or any of its shards.")
    names = shard_names(path.name)
    return PathRef(path.with_name(names[0]) if path.name in names else path)
