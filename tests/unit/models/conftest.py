"""Models and their catalog, and a folder of data packages for pip; the hub is that of ``tests.support.hub``."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import tests.support.properties  # noqa: F401  (loads the profile)
from lsp_server.models.catalog import Catalog, CatalogModel, ModelFile, RegistryMirror
from tests.support import gguf
from tests.support.hub import hub, hub_cache  # noqa: F401 - fixtures


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def gguf_bytes() -> Callable[..., bytes]:
    """The bytes of a sound GGUF without tensors: ``gguf_bytes(seed, size)``; at least 50."""

    def make(seed: int = 1, size: int = 5000) -> bytes:
        return gguf.filled(size, seed)

    return make


@pytest.fixture
def shard_bytes() -> list[bytes]:
    """The bytes of the two shards of a sound set."""
    tensors = [[gguf.TensorInfo("token_embd.weight", (1000,))], [gguf.TensorInfo("output.weight", (1000,))]]
    return [file.bytes() for file in gguf.shards(tensors, {"general.architecture": "llama"})]


@pytest.fixture
def dead_endpoint() -> str:
    """An address where nobody listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = server.server_address[1]
    server.server_close()
    return f"http://127.0.0.1:{port}"


@dataclass
class FakeRegistry:
    """A folder of wheels that real pip finds packages in."""

    folder: Path

    def add(self, package: str, version: str, data: dict[str, bytes]) -> Path:
        """Publish a package whose ``data/`` holds the given files."""
        stem = package.replace("-", "_")
        info = f"{stem}-{version}.dist-info"
        path = self.folder / f"{stem}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{stem}/__init__.py", "raise RuntimeError('data packages are never imported')\n")
            for name, content in data.items():
                wheel.writestr(f"{stem}/data/{name}", content)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        return path

    def add_model(self, data: bytes, packages: tuple[str, ...], version: str) -> None:
        """Publish a model in as many pieces as there are packages."""
        step = -(-len(data) // len(packages))
        for number, package in enumerate(packages):
            self.add(package, version, {f"part{number + 1:02d}.bin": data[number * step : (number + 1) * step]})


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeRegistry:
    """The only registry that pip knows during the test."""
    folder = tmp_path / "registry"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return FakeRegistry(folder)


MIRROR = RegistryMirror(("tiny-data-part1", "tiny-data-part2", "tiny-data-part3"), "1.2.0")


@pytest.fixture
def make_model() -> Callable[..., CatalogModel]:
    """A catalog model whose files are the given bytes: ``make_model(name, data, ..., pinned=True, mirror=False)``."""

    def make(
        name: str, *contents: bytes, pinned: bool = True, mirror: bool = False, commercial_use: bool = True
    ) -> CatalogModel:
        names = [f"{name}.gguf"]
        if len(contents) > 1:
            names = [f"{name}-{n + 1:05d}-of-{len(contents):05d}.gguf" for n in range(len(contents))]
        files = tuple(
            ModelFile(file, len(data), _sha256(data) if pinned else None)
            for file, data in zip(names, contents, strict=True)
        )
        return CatalogModel(
            name=name,
            title=name.title(),
            roles=("completion", "assistant"),
            repository=f"org/{name}",
            files=files,
            licence="Apache-2.0" if commercial_use else "Research",
            commercial_use=commercial_use,
            fim=True,
            mirror=MIRROR if mirror else None,
        )

    return make


@pytest.fixture
def make_catalog() -> Callable[..., Catalog]:
    """A catalog of the given models; ``auto`` prefers them in that order for both roles."""

    def make(*models: CatalogModel) -> Catalog:
        names = tuple(model.name for model in models)
        return Catalog(
            {model.name: model for model in models},
            {"completion": names, "assistant": names},
            {"default": "prefix-first"},
        )

    return make
