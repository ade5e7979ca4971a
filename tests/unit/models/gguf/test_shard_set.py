from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lsp_server.errors import InvalidModelFileError
from lsp_server.models.gguf.shard_set import check_set, open_set
from tests.support import gguf
from tests.support.gguf import GgufFile, Plain, TensorInfo, Typed, shards, write_set

TENSORS = [[TensorInfo("a", (32, 2), gguf.Q8_0), TensorInfo("b")], [TensorInfo("c", (100,))], [TensorInfo("d", (7,))]]
METADATA = {"general.architecture": "llama"}

Change = Mapping[str, Plain | Typed | None]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., list[Path]]:
    """Write a set of three shards; ``write({1: {"split.no": 5}})`` lets one of them say something else."""

    def write_(changed: Mapping[int, Change] | None = None) -> list[Path]:
        return write_set(tmp_path, shards(TENSORS, METADATA, changed))

    return write_


def refusal(member: Path, named: Path) -> str:
    """What a person is told: the shard that is wrong, and the way out."""
    with pytest.raises(InvalidModelFileError) as caught:
        open_set(member)
    assert str(named) in caught.value.message
    assert "--repair" in caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("member", range(3))
def test_found_from_any_member(write: Callable[..., list[Path]], member: int) -> None:
    paths = write()
    found = open_set(paths[member])
    assert found.path == paths[0]
    assert [head.path for head in found.heads] == paths
    assert [tensor.name for tensor in found.tensors] == ["a", "b", "c", "d"]
    assert found.metadata["general.architecture"] == "llama"
    assert found.file_bytes == sum(path.stat().st_size for path in paths)


def test_a_first_shard_with_nothing_but_metadata(tmp_path: Path) -> None:
    paths = write_set(tmp_path, shards([[], TENSORS[0]], METADATA))
    assert [tensor.name for tensor in open_set(paths[1]).tensors] == ["a", "b"]


@pytest.mark.parametrize("member", range(3))
@pytest.mark.parametrize("absent", range(3))
def test_a_shard_is_missing(write: Callable[..., list[Path]], member: int, absent: int) -> None:
    paths = write()
    paths[absent].unlink()
    assert f"is missing: shard {absent + 1} of 3" in refusal(paths[member], paths[absent])


def test_a_folder_is_no_shard(write: Callable[..., list[Path]]) -> None:
    paths = write()
    paths[1].unlink()
    paths[1].mkdir()
    assert "missing" in refusal(paths[0], paths[1])


@pytest.mark.parametrize("name", ["m-00001-of-00000.gguf", "m-00000-of-00003.gguf", "m-00004-of-00003.gguf"])
def test_a_number_that_no_shard_of_the_set_has(write: Callable[..., list[Path]], name: str) -> None:
    (first, *_) = write()
    extra = Path(shutil.copy(first, first.with_name(name)))
    with pytest.raises(InvalidModelFileError) as caught:
        open_set(extra)
    assert str(extra) in caught.value.message
    assert "NAME-00001-of-" in caught.value.hint


def test_two_shards_changed_places(write: Callable[..., list[Path]], tmp_path: Path) -> None:
    paths = write()
    aside = paths[1].rename(tmp_path / "aside")
    paths[2].rename(paths[1])
    aside.rename(paths[2])
    assert "split.no is 2, and the name says 1" in refusal(paths[0], paths[1])


@pytest.mark.parametrize("number", [0, 2, None, "1", True])
def test_a_wrong_number(write: Callable[..., list[Path]], number: Plain | None) -> None:
    paths = write({1: {"split.no": number}})
    assert "split.no" in refusal(paths[0], paths[1])


@pytest.mark.parametrize("shard", range(3))
@pytest.mark.parametrize("count", [2, 4, 1, None])
def test_a_wrong_count(write: Callable[..., list[Path]], shard: int, count: int | None) -> None:
    paths = write({shard: {"split.count": count}})
    assert f"split.count is {count}, and the name says 3" in refusal(paths[0], paths[shard])


@pytest.mark.parametrize("shard", [1, 2])
@pytest.mark.parametrize("count", [3, 5, None])
def test_shards_that_disagree_on_the_number_of_tensors(
    write: Callable[..., list[Path]], shard: int, count: int | None
) -> None:
    paths = write({shard: {"split.tensors.count": count}})
    assert f"split.tensors.count is {count}, not 4" in refusal(paths[0], paths[shard])


@pytest.mark.parametrize("count", [3, 5, None])
def test_another_number_of_tensors_than_all_promise(write: Callable[..., list[Path]], count: int | None) -> None:
    paths = write({shard: {"split.tensors.count": count} for shard in range(3)})
    assert f"has 4 tensors and promises {count}" in refusal(paths[2], paths[0])


def test_a_tensor_in_two_shards(tmp_path: Path) -> None:
    paths = write_set(tmp_path, shards([TENSORS[0], TENSORS[1], [TensorInfo("b")]], METADATA))
    message = refusal(paths[0], paths[2])
    assert "tensor b is in" in message
    assert str(paths[0]) in message


def test_a_shard_of_another_set(write: Callable[..., list[Path]], tmp_path: Path) -> None:
    paths = write()
    (tmp_path / "other").mkdir()
    other = write_set(tmp_path / "other", shards([*TENSORS[:2], [TensorInfo("d"), TensorInfo("e")]], METADATA))
    other[2].replace(paths[2])
    assert "is of another set than" in refusal(paths[0], paths[2])


def test_a_shard_of_the_same_model_split_otherwise(write: Callable[..., list[Path]], tmp_path: Path) -> None:
    """The counts agree; only the tensors tell."""
    paths = write()
    (tmp_path / "other").mkdir()
    other = write_set(tmp_path / "other", shards([TENSORS[0][:1], [TENSORS[0][1], *TENSORS[1]], TENSORS[2]], METADATA))
    other[1].replace(paths[1])
    assert "tensor b is in" in refusal(paths[0], paths[1])


def test_the_same_file_under_two_names(write: Callable[..., list[Path]]) -> None:
    paths = write()
    shutil.copy(paths[1], paths[2])
    assert "split.no is 1, and the name says 2" in refusal(paths[0], paths[2])


@pytest.mark.parametrize("shard", range(3))
def test_a_shard_that_ends_before_its_last_tensor(write: Callable[..., list[Path]], shard: int) -> None:
    paths = write()
    whole = paths[shard].stat().st_size
    with paths[shard].open("r+b") as file:
        file.truncate(whole - 1)
    assert f"it has {whole - 1} bytes and its tensors need {whole}" in refusal(paths[0], paths[shard])


def test_heads_are_checked_without_their_files(write: Callable[..., list[Path]]) -> None:
    paths = write()
    heads = open_set(paths[0]).heads
    for path in paths:
        path.unlink()
    assert check_set(heads).heads == heads
    with pytest.raises(InvalidModelFileError, match=r"split\.no is 2, and the name says 1"):
        check_set((heads[0], heads[2], heads[1]))


@pytest.mark.parametrize("shard", range(3))
@pytest.mark.parametrize("damage", [b"", b"<html>" * 9, b"GGUF\x07" + bytes(99), b"GGUF\3\0\0\0" + b"\xff" * 99])
def test_a_shard_that_is_no_sound_gguf(write: Callable[..., list[Path]], shard: int, damage: bytes) -> None:
    paths = write()
    paths[shard].write_bytes(damage)
    with pytest.raises(InvalidModelFileError) as caught:
        open_set(paths[0])
    assert str(paths[shard]) in caught.value.message
    assert caught.value.hint


class TestOneFile:
    def test_is_a_set_of_one(self, tmp_path: Path) -> None:
        path = GgufFile(METADATA, TENSORS[0]).write(tmp_path / "m-q4_k_m.gguf")
        found = open_set(path)
        assert (found.path, len(found.heads), len(found.tensors)) == (path, 1, 2)

    def test_a_set_of_one_by_name(self, tmp_path: Path) -> None:
        (path,) = write_set(tmp_path, shards(TENSORS[:1], METADATA))
        assert open_set(path).path == path

    def test_that_is_missing(self, tmp_path: Path) -> None:
        assert "the model file" in refusal(tmp_path / "m.gguf", tmp_path / "m.gguf")

    def test_that_is_cut_short(self, tmp_path: Path) -> None:
        path = tmp_path / "m.gguf"
        path.write_bytes(GgufFile(METADATA, TENSORS[0]).bytes()[:-1])
        assert "cut short" in refusal(path, path)

    def test_that_says_it_is_one_of_several(self, write: Callable[..., list[Path]], tmp_path: Path) -> None:
        path = write()[1].rename(tmp_path / "model.gguf")
        with pytest.raises(InvalidModelFileError, match="is shard 2 of 3, but its name does not say so") as caught:
            open_set(path)
        assert str(path) in caught.value.message
        assert "NAME-00001-of-00003.gguf" in caught.value.hint
