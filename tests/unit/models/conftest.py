"""Stand-ins for the two places that models come from: a hub on loopback, and a folder of data packages for pip."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import tests.support.properties  # noqa: F401  (loads the profile)
from lsp_server.models.catalog import Catalog, CatalogModel, ModelFile, RegistryMirror
from tests.support import gguf

COMMIT = "c0ffee" + "0" * 34
_PIECE = 1 << 16


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


@dataclass
class FakeHub:
    """Answers the requests that huggingface_hub makes for metadata, a listing and a download."""

    endpoint: str = ""
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    claimed_sha256: dict[tuple[str, str], str] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    requests: list[str] = field(default_factory=list)
    # Faults of the next downloads, one each: a status to answer with, or how many bytes to send before hanging up.
    busy: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    # Bytes after which the next download comes to a halt, until ``go_on`` is set.
    stalls: list[int] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    ranges: bool = True
    asked_ranges: list[str] = field(default_factory=list)
    # Lengths of the pieces of files that were sent, each noted before it goes out.
    sent: list[int] = field(default_factory=list)
    # Files that are longer than their bytes here: the rest is a hole, sent as zeros.
    lengths: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, repository: str, name: str, data: bytes, length: int | None = None) -> None:
        self.files[repository, name] = data
        self.lengths[repository, name] = len(data) if length is None else length

    def downloads(self) -> int:
        return sum(line.startswith("GET") and "/resolve/" in line for line in self.requests)

    def answer(self, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        self.requests.append(f"{method} {path}")
        if self.refusal is not None:
            status, code = self.refusal
            return status, {"X-Error-Code": code, "X-Error-Message": code}, b""
        if path.startswith("/api/models/"):
            return self._listing(path.removeprefix("/api/models/").split("?")[0])
        repository, _, name = path.lstrip("/").partition("/resolve/main/")
        if not any(known == repository for known, _ in self.files):
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        data = self.files.get((repository, name))
        if data is None:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b""
        etag = self.claimed_sha256.get((repository, name), _sha256(data))
        headers = {
            "X-Repo-Commit": COMMIT,
            "X-Linked-Etag": f'"{etag}"',
            "X-Linked-Size": str(self.lengths[repository, name]),
        }
        return 200, headers | {"ETag": f'"{etag}"'}, data

    def _listing(self, repository: str) -> tuple[int, dict[str, str], bytes]:
        names = [name for known, name in self.files if known == repository]
        if not names:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        body: dict[str, Any] = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, hub_cache: Path) -> Iterator[FakeHub]:
    """A hub that real huggingface_hub downloads from; its ``endpoint`` is for ``HubSource``."""
    fake = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # who has read enough hangs up
                super().handle()

        def _serve(self, *, with_body: bool) -> None:
            status, headers, body = fake.answer(self.command, self.path)
            downloads = with_body and "/resolve/" in self.path and status == 200
            if downloads and fake.busy:
                status, headers, body = fake.busy.pop(0), {"Retry-After": "0"}, b""
            start, end = 0, int(headers.get("X-Linked-Size", len(body)))
            wanted = self.headers.get("Range", "") if downloads and status == 200 else ""
            if wanted:
                fake.asked_ranges.append(wanted)
            if wanted and fake.ranges:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                status, total = 206, end
                start, end = int(first), int(last) + 1 if last else total
                headers = {**headers, "Content-Range": f"bytes {start}-{end - 1}/{total}"}
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(end - start))
            self.end_headers()
            if downloads and status < 300 and fake.cuts:
                self._send(body, start, start + fake.cuts.pop(0))
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            elif downloads and status < 300 and fake.stalls:
                self._send(body, start, start + fake.stalls.pop(0))
                fake.go_on.wait(timeout=60)
                self.close_connection = True
            elif with_body:
                self._send(body, start, end)

        def _send(self, body: bytes, start: int, end: int) -> None:
            """The bytes from start to end of a file that begins with ``body``, in pieces."""
            for at in range(start, end, _PIECE):
                length = min(_PIECE, end - at)
                piece = body[at : at + length].ljust(length, b"\0")
                if "/resolve/" in self.path:
                    fake.sent.append(length)
                self.wfile.write(piece)
            self.wfile.flush()

        def do_HEAD(self) -> None:
            self._serve(with_body=False)

        def do_GET(self) -> None:
            self._serve(with_body=True)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hub_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A fresh Hugging Face cache, and none of this machine's tokens or modes."""
    from huggingface_hub import constants

    cache = tmp_path / "hf"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return cache


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
