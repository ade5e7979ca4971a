"""A hub that models come from, on the loopback interface, and a Hugging Face cache of a test's own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

_COMMIT = "c0ffee" + "0" * 34
_PIECE = 1 << 16


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
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": _COMMIT}, b""
        etag = self.claimed_sha256.get((repository, name), hashlib.sha256(data).hexdigest())
        headers = {
            "X-Repo-Commit": _COMMIT,
            "X-Linked-Etag": f'"{etag}"',
            "X-Linked-Size": str(self.lengths[repository, name]),
        }
        return 200, headers | {"ETag": f'"{etag}"'}, data

    def _listing(self, repository: str) -> tuple[int, dict[str, str], bytes]:
        names = [name for known, name in self.files if known == repository]
        if not names:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        body: dict[str, Any] = {"id": repository, "sha": _COMMIT, "siblings": [{"rfilename": name} for name in names]}
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


@pytest.fixture
def hub(hub_cache: Path) -> Iterator[FakeHub]:
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
