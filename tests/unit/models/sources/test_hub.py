from __future__ import annotations

import errno
import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server.errors import (
    ChecksumError,
    DiskSpaceError,
    DownloadError,
    InvalidModelFileError,
    ShardlightError,
    SourceUnavailableError,
    UnknownModelError,
)
from lsp_server.models.catalog import CatalogModel
from lsp_server.models.gguf.head import LongValue
from lsp_server.models.reference import CatalogRef, HubRef
from lsp_server.models.sources import ranged
from lsp_server.models.sources.hub import HubSource
from lsp_server.models.transfer import Monitor, Transfer
from tests.support import gguf
from tests.support.gguf import GgufFile, TensorInfo, shards

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


@pytest.fixture
def offline(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hugging Face's offline mode."""
    from huggingface_hub import close_session, constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    close_session()  # the client reads the mode when it opens its connection pool
    yield
    close_session()


@pytest.mark.usefixtures("offline")
def test_offline_mode(hub: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match="offline mode") as caught:
        HubSource(hub.endpoint).fetch(HubRef("org/repo", "m.gguf"), tmp_path, SILENT)
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


MB = 1 << 20
EXPERTS = (4096, 2048, 256)


VOCABULARY = ["some forty letters that make up a word .."] * 200_000  # with its lengths 9.6 MB


def set_of_two(words: Sequence[str] = ("a", "b"), said: dict[int, dict[str, Any]] | None = None) -> list[GgufFile]:
    """Two shards of more than 30 GB each; the first has the words."""
    tensors = [
        [TensorInfo(f"blk.{n}.ffn_up_exps.weight", EXPERTS, gguf.Q4_0) for n in part]
        for part in (range(26), range(26, 52))
    ]
    return shards(tensors, {"general.architecture": "llama", "tokenizer.ggml.tokens": words}, said)


class TestPeek:
    @pytest.fixture
    def publish(self, hub: Any) -> Callable[[list[GgufFile]], HubRef]:
        """Put a set on the hub: its heads, and holes where its data would be."""

        def publish_(files: list[GgufFile]) -> HubRef:
            for number, file in enumerate(files, start=1):
                hub.add("org/repo", f"m-Q4_0-{number:05d}-of-{len(files):05d}.gguf", file.head, file.length)
            return HubRef("org/repo", quant="Q4_0")

        return publish_

    def refusal(self, hub: Any, ref: HubRef, shard: str) -> InvalidModelFileError:
        with pytest.raises(InvalidModelFileError) as caught:
            HubSource(hub.endpoint).peek(ref)
        assert shard in caught.value.message
        return caught.value

    def test_of_a_set_only_the_beginnings_are_fetched(
        self, hub: Any, hub_cache: Path, publish: Callable[[list[GgufFile]], HubRef]
    ) -> None:
        files = set_of_two()
        peek = HubSource(hub.endpoint).peek(publish(files))
        assert sorted(hub.asked_ranges) == [f"bytes=0-{MB - 1}", f"bytes=0-{8 * MB - 1}"]
        assert sum(hub.sent) == peek.fetched_bytes == 9 * MB
        assert peek.files.file_bytes == sum(file.length for file in files) > 60_000_000_000
        assert [tensor.name for tensor in peek.files.tensors] == [f"blk.{n}.ffn_up_exps.weight" for n in range(52)]
        assert peek.files.metadata["general.architecture"] == "llama"
        assert peek.files.path.name == "m-Q4_0-00001-of-00002.gguf"
        assert not hub_cache.exists()

    def test_a_longer_head_is_fetched_to_its_end(self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]) -> None:
        peek = HubSource(hub.endpoint).peek(publish(set_of_two(VOCABULARY)))
        assert peek.files.metadata["tokenizer.ggml.tokens"] == LongValue(200_000)
        assert len(peek.files.tensors) == 52
        assert any(asked.startswith(f"bytes={8 * MB}-") for asked in hub.asked_ranges)
        assert hub.downloads() == 3
        assert sum(hub.sent) == peek.fetched_bytes
        assert 17 * MB < peek.fetched_bytes < 17 * MB + 100

    def test_a_head_that_says_how_long_it_is_takes_two_requests(
        self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]
    ) -> None:
        file = GgufFile({"filler": "x" * (40 * MB)}, set_of_two()[0].tensors)
        assert len(HubSource(hub.endpoint).peek(publish([file])).files.tensors) == 26
        assert hub.asked_ranges[1].startswith(f"bytes={8 * MB}-")
        assert hub.downloads() == 2
        assert sum(hub.sent) < 49 * MB

    def test_a_small_file_is_not_asked_for_more_than_it_has(
        self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]
    ) -> None:
        file = GgufFile({"general.architecture": "llama"}, [TensorInfo("a")])
        assert HubSource(hub.endpoint).peek(publish([file])).files.tensors[0].name == "a"
        assert hub.asked_ranges == [f"bytes=0-{file.length - 1}"]

    def test_a_server_that_knows_no_ranges_is_hung_up_on(
        self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]
    ) -> None:
        hub.ranges = False
        peek = HubSource(hub.endpoint).peek(publish(set_of_two(VOCABULARY)))
        assert len(peek.files.tensors) == 52
        # What the system buffers between the two may be under way, nothing more.
        assert sum(hub.sent) < 125 * MB
        assert peek.fetched_bytes < 26 * MB, "8 MB, once more with 8 more, and 1 MB of the other shard"

    @pytest.mark.usefixtures("impatient")
    def test_a_cut_line_goes_on_where_it_was_cut(self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]) -> None:
        file = GgufFile({"filler": "x" * 9000}, [TensorInfo("a")])
        hub.cuts = [3000, 2000]
        peek = HubSource(hub.endpoint).peek(publish([file]))
        assert len(peek.files.tensors) == 1
        assert [asked.partition("-")[0] for asked in hub.asked_ranges] == ["bytes=0", "bytes=3000", "bytes=5000"]
        assert peek.fetched_bytes == file.length

    @pytest.mark.usefixtures("impatient")
    def test_a_busy_hub_is_asked_again(self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]) -> None:
        hub.busy = [503, 429]
        assert len(HubSource(hub.endpoint).peek(publish(set_of_two())).files.tensors) == 52

    @pytest.mark.usefixtures("impatient")
    def test_in_the_end_it_is_given_up(self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]) -> None:
        hub.busy = [503] * 9
        with pytest.raises(SourceUnavailableError, match="HTTP 503"):
            HubSource(hub.endpoint).peek(publish(set_of_two()[:1]))

    @pytest.mark.usefixtures("impatient")
    def test_an_answer_that_ends_too_early(
        self, hub: Any, publish: Callable[[list[GgufFile]], HubRef], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The hub has said that the file is longer than what it sends: no loop."""
        ref = publish(set_of_two()[:1])
        describe = HubSource._describe
        monkeypatch.setattr(HubSource, "_describe", lambda *args: replace(describe(*args), size=2 * MB))
        hub.ranges = False
        hub.lengths = dict.fromkeys(hub.lengths, MB)
        with pytest.raises(SourceUnavailableError, match="ended at byte 1048576 of 2097152"):
            HubSource(hub.endpoint).peek(ref)
        assert hub.downloads() == 1 + 3, "one that brings all there is, and three that bring nothing more"

    def test_a_hub_that_does_not_say_how_long_a_file_is(
        self, hub: Any, publish: Callable[[list[GgufFile]], HubRef], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ref = publish(set_of_two())
        describe = HubSource._describe
        monkeypatch.setattr(HubSource, "_describe", lambda *args: replace(describe(*args), size=None))
        with pytest.raises(SourceUnavailableError, match=r"m-Q4_0-0000\d-of-00002\.gguf is"):
            HubSource(hub.endpoint).peek(ref)
        assert hub.downloads() == 0

    @pytest.mark.parametrize("shard", [0, 1])
    @pytest.mark.parametrize(
        "damage",
        [
            b"<html>" * 9,
            b"GGUF\3\0\0\0" + b"\xff" * 99,
            # Texts that end behind the file, or behind what a head may have.
            GgufFile({"k": ""}).bytes()[:-8] + struct.pack("<Q", 70_000_000_000),
            GgufFile({"k": ""}).bytes()[:-8] + struct.pack("<Q", 200_000_000),
        ],
        ids=["page", "counts", "longer than the file", "longer than a head"],
    )
    def test_a_damaged_head_is_named_and_not_fetched_on(
        self, hub: Any, publish: Callable[[list[GgufFile]], HubRef], shard: int, damage: bytes
    ) -> None:
        ref = publish(set_of_two())
        name = f"m-Q4_0-0000{shard + 1}-of-00002.gguf"
        hub.files["org/repo", name] = damage
        error = self.refusal(hub, ref, f"org/repo/{name}")
        assert "--repair" not in error.hint
        assert error.hint
        assert sum(hub.sent) <= 9 * MB

    def test_a_head_without_end_is_fetched_up_to_the_limit(
        self, hub: Any, publish: Callable[[list[GgufFile]], HubRef], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its texts are longer than their number promises."""
        for module in ("gguf.reader", "sources.hub"):
            monkeypatch.setattr(f"lsp_server.models.{module}.MAX_HEAD_BYTES", 3 * MB)
        monkeypatch.setattr("lsp_server.models.sources.hub._FIRST_HEAD_BYTES", MB)
        ref = publish(set_of_two()[:1])
        (key,) = hub.files
        hub.files[key] = GgufFile({"k": ["x" * 8] * 300_000}).bytes()
        assert "its head would be longer than 3 MiB" in self.refusal(hub, ref, key[1]).message
        assert sum(hub.sent) == 3 * MB

    def test_a_shard_of_another_set(self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]) -> None:
        error = self.refusal(hub, publish(set_of_two(said={1: {"split.no": 0}})), "00002-of-00002.gguf: split.no is 0")
        assert f"{hub.endpoint}/org/repo/tree/main" in error.hint

    def test_an_upload_that_was_cut_short(self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]) -> None:
        ref = publish(set_of_two())
        key = ("org/repo", "m-Q4_0-00002-of-00002.gguf")
        hub.lengths[key] -= 1
        assert "is cut short" in self.refusal(hub, ref, key[1]).message

    def test_a_way_out_that_holds_for_the_hub_too_is_kept(
        self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]
    ) -> None:
        error = self.refusal(hub, publish([GgufFile({}, [TensorInfo("a", (4,), 250)])]), "has type 250")
        assert "Update shardlight" in error.hint

    def test_a_shard_that_is_missing(self, hub: Any, publish: Callable[[list[GgufFile]], HubRef]) -> None:
        ref = publish(set_of_two())
        del hub.files["org/repo", "m-Q4_0-00002-of-00002.gguf"]
        with pytest.raises(UnknownModelError, match="has no file for hf:org/repo:Q4_0"):
            HubSource(hub.endpoint).peek(ref)

    def test_a_model_of_the_catalog_is_the_one_that_is_pinned(
        self, hub: Any, make_model: Callable[..., CatalogModel], gguf_bytes: Callable[..., bytes]
    ) -> None:
        hub.add("org/tiny", "tiny.gguf", gguf_bytes(1))
        source = HubSource(hub.endpoint)
        assert source.peek(CatalogRef(make_model("tiny", gguf_bytes(1)))).files.file_bytes == 5000
        with pytest.raises(ChecksumError, match=r"another tiny\.gguf"):
            source.peek(CatalogRef(make_model("tiny", gguf_bytes(2))))

    @pytest.mark.parametrize(
        ("status", "code", "error", "message"),
        [
            (403, "GatedRepo", SourceUnavailableError, "gated"),
            (401, "RepoNotFound", UnknownModelError, "no repository org/repo"),
        ],
    )
    def test_a_refusing_hub(self, hub: Any, status: int, code: str, error: type[ShardlightError], message: str) -> None:
        hub.refusal = (status, code)
        for ref in (HubRef("org/repo"), HubRef("org/repo", "m.gguf")):
            with pytest.raises(error, match=message) as caught:
                HubSource(hub.endpoint).peek(ref)
            assert "HF_TOKEN" in caught.value.hint

    def test_no_network(self, hub_cache: Path, dead_endpoint: str) -> None:
        with pytest.raises(SourceUnavailableError, match="cannot be reached"):
            HubSource(dead_endpoint).peek(HubRef("org/repo"))

    @pytest.mark.usefixtures("offline")
    def test_offline_mode(self, hub: Any) -> None:
        with pytest.raises(SourceUnavailableError, match="offline mode is on"):
            HubSource(hub.endpoint).peek(HubRef("org/repo"))
        assert not hub.requests
