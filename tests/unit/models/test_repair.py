"""``ModelStore.repair``: only what is wrong or missing is fetched again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.errors import ModelError
from lsp_server.models.catalog import Catalog, CatalogModel
from lsp_server.models.reference import CatalogRef, PathRef
from lsp_server.models.sources.hub import HubSource
from lsp_server.models.store import ModelStore


@pytest.fixture
def pulled(
    hub: Any, tmp_path: Path, make_model: Callable[..., CatalogModel], shard_bytes: list[bytes]
) -> tuple[ModelStore, CatalogRef]:
    """A store that has fetched a model of two shards."""
    model = make_model("big", *shard_bytes)
    for file, data in zip(model.files, shard_bytes, strict=True):
        hub.add("org/big", file.name, data)
    store = ModelStore(tmp_path / "models", Catalog({"big": model}, {}, {}), [HubSource(hub.endpoint)])
    ref = CatalogRef(model)
    store.pull(ref)
    return store, ref


def test_a_sound_model_is_only_read(hub: Any, pulled: tuple[ModelStore, CatalogRef]) -> None:
    store, ref = pulled
    before = hub.downloads()
    store.repair(ref)
    assert hub.downloads() == before


@pytest.mark.parametrize("damage", ["garbled", "missing"])
@pytest.mark.parametrize("number", [0, 1])
def test_only_the_wrong_shard_is_fetched(
    hub: Any, pulled: tuple[ModelStore, CatalogRef], shard_bytes: list[bytes], number: int, damage: str
) -> None:
    store, ref = pulled
    path = store.locate(ref).files[number]
    blob = path.resolve()
    if damage == "missing":
        path.unlink()
        blob.unlink()
    else:
        blob.write_bytes(b"GGUF" + blob.read_bytes()[4:-4] + b"oops")
    before = hub.downloads()
    model = store.repair(ref)
    assert hub.downloads() == before + 1
    assert [file.read_bytes() for file in model.files] == shard_bytes


def test_a_file_of_the_users_own_is_not_touched(pulled: tuple[ModelStore, CatalogRef], tmp_path: Path) -> None:
    store, _ = pulled
    own = tmp_path / "own.gguf"
    own.write_bytes(b"anything")
    with pytest.raises(ModelError, match="a file of yours"):
        store.repair(PathRef(own))
    assert own.read_bytes() == b"anything"
