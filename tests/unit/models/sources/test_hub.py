from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.errors import (
    ChecksumError,
    DiskSpaceError,
    DownloadError,
    ShardlightError,
    SourceUnavailableError,
    UnknownModelError,
)
from lsp_server.models.catalog import CatalogModel
from lsp_server.models.reference import CatalogRef, HubRef
from lsp_server.models.sources.hub import HubSource
from lsp_server.models.transfer import Monitor, Transfer

SILENT = Monitor(lambda _: None, lambda: False)


def test_all_shards_arrive_in_the_hubs_own_cache_with_progress(
    hub: Any, hub_cache: Path, tmp_path: Path, make_model: Callable[..., CatalogModel], gguf_bytes: Callable[..., bytes]
) -> None:
    contents = [gguf_bytes(1), gguf_bytes(2, 7000)]
    model = make_model("big", *contents, pinned=False)
    for file, data in zip(model.files, contents, strict=True):
        hub.add("org/big", file.name, data)
    seen: list[Transfer] = []
    fetched = HubSource(hub.endpoint).fetch(CatalogRef(model), tmp_path, Monitor(seen.append, lambda: False))
    assert [item.path.read_bytes() for item in fetched] == contents
    assert [item.sha256 for item in fetched] == [hashlib.sha256(data).hexdigest() for data in contents]
    assert all(hub_cache in item.path.parents for item in fetched)
    ends = {transfer.file: transfer for transfer in seen}
    assert [(t.done_bytes, t.total_bytes, t.phase) for t in ends.values()] == [
        (5000, 5000, "download"),
        (7000, 7000, "download"),
    ]


def test_a_file_in_a_folder_of_the_repository(hub: Any, tmp_path: Path, gguf_bytes: Callable[..., bytes]) -> None:
    hub.add("org/repo", "sub/m.gguf", gguf_bytes())
    (item,) = HubSource(hub.endpoint).fetch(HubRef("org/repo", "sub/m.gguf"), tmp_path, SILENT)
    assert item.path.name == "m.gguf"


def test_a_quantization_is_chosen_from_the_listing(hub: Any, tmp_path: Path, gguf_bytes: Callable[..., bytes]) -> None:
    for name in ("README.md", "m-Q4_K_M.gguf", "m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"):
        hub.add("org/repo", name, gguf_bytes())
    source = HubSource(hub.endpoint)
    (default,) = source.fetch(HubRef("org/repo"), tmp_path, SILENT)
    assert default.path.name == "m-Q4_K_M.gguf"
    shards = source.fetch(HubRef("org/repo", quant="Q8_0"), tmp_path, SILENT)
    assert [item.path.name for item in shards] == ["m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"]


def test_no_network(hub_cache: Path, dead_endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match="cannot be reached") as caught:
        HubSource(dead_endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
    assert dead_endpoint in caught.value.message
    assert "proxy" in caught.value.hint
    with pytest.raises(SourceUnavailableError, match="cannot be reached"):
        HubSource(dead_endpoint).fetch(HubRef("org/repo"), tmp_path, SILENT)


def test_offline_mode(hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import close_session, constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    close_session()  # the client reads the mode when it opens its connection pool
    try:
        with pytest.raises(SourceUnavailableError, match="offline mode") as caught:
            HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
    finally:
        close_session()
    assert "HF_HUB_OFFLINE" in caught.value.hint
    assert not hub.requests


@pytest.mark.parametrize(
    ("status", "code", "error", "message", "hint"),
    [
        (403, "GatedRepo", SourceUnavailableError, "gated", "HF_TOKEN"),
        (401, "RepoNotFound", UnknownModelError, "no repository org/repo, or it is private", "HF_TOKEN"),
        (404, "RepoNotFound", UnknownModelError, "no repository org/repo", "spelling"),
        (404, "EntryNotFound", UnknownModelError, "has no file", "tree/main"),
        (403, "", SourceUnavailableError, "HTTP 403", "HF_TOKEN"),
        (429, "", SourceUnavailableError, "rate", "Wait"),
        (503, "", SourceUnavailableError, "HTTP 503", "later"),
    ],
)
def test_a_refusing_hub(
    hub: Any, tmp_path: Path, status: int, code: str, error: type[ShardlightError], message: str, hint: str
) -> None:
    hub.refusal = (status, code)
    with pytest.raises(error, match=message) as caught:
        HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
    assert hint in caught.value.hint
    assert len(hub.requests) == 1


def test_what_cannot_be_the_pinned_file_is_not_downloaded(
    hub: Any, tmp_path: Path, make_model: Callable[..., CatalogModel], gguf_bytes: Callable[..., bytes]
) -> None:
    hub.add("org/tiny", "tiny.gguf", gguf_bytes(2))
    with pytest.raises(ChecksumError, match=r"another tiny\.gguf"):
        HubSource(hub.endpoint).fetch(CatalogRef(make_model("tiny", gguf_bytes(1))), tmp_path, SILENT)
    assert hub.downloads() == 0


def test_room_is_checked_before_the_first_byte(
    hub: Any, tmp_path: Path, gguf_bytes: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("org/repo", "m.gguf", gguf_bytes())
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    with pytest.raises(DiskSpaceError, match=r"needs 5\.0 kB"):
        HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
    assert hub.downloads() == 0


def test_a_disk_that_runs_full_in_the_middle(
    hub: Any, tmp_path: Path, gguf_bytes: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **options: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    hub.add("org/repo", "m.gguf", gguf_bytes())
    monkeypatch.setattr("huggingface_hub.hf_hub_download", full)
    with pytest.raises(DiskSpaceError, match="ran full"):
        HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)


def test_cancelling_ends_the_download_and_keeps_whole_files(
    hub: Any, hub_cache: Path, tmp_path: Path, make_model: Callable[..., CatalogModel], gguf_bytes: Callable[..., bytes]
) -> None:
    contents = [gguf_bytes(1), gguf_bytes(2)]
    model = make_model("big", *contents)
    for file, data in zip(model.files, contents, strict=True):
        hub.add("org/big", file.name, data)
    seen: list[Transfer] = []
    monitor = Monitor(seen.append, lambda: any("00002-of" in transfer.file for transfer in seen))
    source = HubSource(hub.endpoint)
    with pytest.raises(DownloadError, match="cancelled"):
        source.fetch(CatalogRef(model), tmp_path, monitor)
    before = hub.downloads()
    fetched = source.fetch(CatalogRef(model), tmp_path, SILENT)
    assert [item.path.read_bytes() for item in fetched] == contents
    assert hub.downloads() == before + 1
