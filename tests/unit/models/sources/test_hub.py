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
from lsp_server.models.sources import ranged
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
    ends = {transfer.file: (transfer.done_bytes, transfer.total_bytes, transfer.phase) for transfer in seen}
    sizes = [(5000, 5000, "download"), (7000, 7000, "download")]
    assert ends == dict(zip((file.name for file in model.files), sizes, strict=True))


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
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    hub.add("org/repo", "m.gguf", gguf_bytes())
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskSpaceError, match="ran full"):
        HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)


BLOBS = Path("models--org--repo/blobs")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between tries."""
    monkeypatch.setattr(ranged, "RETRY_DELAYS_S", (0.0, 0.0))


@pytest.mark.usefixtures("impatient")
def test_a_cut_line_goes_on_where_it_was_cut(hub: Any, tmp_path: Path, gguf_bytes: Callable[..., bytes]) -> None:
    data = gguf_bytes(1, 9000)
    hub.add("org/repo", "m.gguf", data)
    hub.cuts = [3000, 2000]
    (item,) = HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
    assert item.path.read_bytes() == data
    assert hub.asked_ranges == ["bytes=3000-", "bytes=5000-"]


@pytest.mark.usefixtures("impatient")
def test_what_a_killed_process_left_is_not_fetched_again(
    hub: Any, hub_cache: Path, tmp_path: Path, gguf_bytes: Callable[..., bytes]
) -> None:
    data = gguf_bytes(1, 9000)
    hub.add("org/repo", "m.gguf", data)
    part = hub_cache / BLOBS / f"{hashlib.sha256(data).hexdigest()}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(data[:8000])
    seen: list[Transfer] = []
    (item,) = HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, Monitor(seen.append, lambda: False))
    assert item.path.read_bytes() == data
    assert hub.asked_ranges == ["bytes=8000-"]
    assert [transfer.done_bytes for transfer in seen] == [9000]
    assert not part.exists()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("left", [b"x" * 9001, b"x" * 4000])
def test_leftovers_that_cannot_be_gone_on_with_are_fetched_anew(
    hub: Any, hub_cache: Path, tmp_path: Path, gguf_bytes: Callable[..., bytes], left: bytes
) -> None:
    """Longer than the file, or on a server that knows no ranges."""
    data = gguf_bytes(1, 9000)
    hub.add("org/repo", "m.gguf", data)
    hub.ranges = False
    part = hub_cache / BLOBS / f"{hashlib.sha256(data).hexdigest()}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    (item,) = HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
    assert item.path.read_bytes() == data


@pytest.mark.usefixtures("impatient")
def test_a_busy_hub_is_asked_again(hub: Any, tmp_path: Path, gguf_bytes: Callable[..., bytes]) -> None:
    hub.add("org/repo", "m.gguf", gguf_bytes())
    hub.busy = [503, 429]
    (item,) = HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
    assert item.path.read_bytes() == gguf_bytes()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("answers", "message"), [([503] * 9, "HTTP 503"), ([403], "HTTP 403")])
def test_in_the_end_it_is_given_up_and_what_has_come_is_kept(
    hub: Any, hub_cache: Path, tmp_path: Path, gguf_bytes: Callable[..., bytes], answers: list[int], message: str
) -> None:
    data = gguf_bytes(1, 9000)
    hub.add("org/repo", "m.gguf", data)
    part = hub_cache / BLOBS / f"{hashlib.sha256(data).hexdigest()}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(data[:8000])
    hub.busy = list(answers)
    with pytest.raises(SourceUnavailableError, match=message):
        HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
    assert part.read_bytes() == data[:8000]
    assert len(hub.busy) == max(len(answers) - 3, 0)


def test_one_file_that_is_refused_stops_the_others_and_is_the_reason(
    hub: Any, tmp_path: Path, make_model: Callable[..., CatalogModel], gguf_bytes: Callable[..., bytes]
) -> None:
    contents = [gguf_bytes(1), gguf_bytes(2)]
    model = make_model("big", *contents)
    for file, data in zip(model.files, contents, strict=True):
        hub.add("org/big", file.name, data)
    hub.busy = [403]
    with pytest.raises(SourceUnavailableError, match="HTTP 403"):
        HubSource(hub.endpoint).fetch(CatalogRef(model), tmp_path, SILENT)


def test_cancelling_keeps_what_has_come(
    hub: Any, hub_cache: Path, tmp_path: Path, gguf_bytes: Callable[..., bytes]
) -> None:
    data = gguf_bytes(1, 3 << 20)
    hub.add("org/repo", "m.gguf", data)
    seen: list[Transfer] = []
    source = HubSource(hub.endpoint)
    with pytest.raises(DownloadError, match="cancelled"):
        source.fetch(HubRef("org/repo", "m.gguf"), tmp_path, Monitor(seen.append, lambda: bool(seen)))
    (part,) = (hub_cache / BLOBS).iterdir()
    kept = part.stat().st_size
    assert 0 < kept < len(data)
    (item,) = source.fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
    assert item.path.read_bytes() == data
    assert hub.asked_ranges == [f"bytes={kept}-"]
