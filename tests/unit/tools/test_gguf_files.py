from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.models.blueprint import Blueprint, load_blueprint, parse_blueprint
from lsp_server.models.card import model_card
from lsp_server.models.gguf.shard_set import ShardSet, open_set
from tests.support.tiny import tiny_deepseek4
from tools import flagship
from tools.gguf_files import write_files


@pytest.fixture(scope="module")
def blueprint() -> Blueprint:
    return tiny_deepseek4()


def inventory(files: ShardSet) -> list[list[tuple[str, tuple[int, ...], str, int]]]:
    return [[(t.name, t.shape, t.type.name, t.offset) for t in head.tensors] for head in files.heads]


@pytest.mark.parametrize("random", [True, False])
def test_the_files_are_what_the_blueprint_says(blueprint: Blueprint, tmp_path: Path, random: bool) -> None:
    paths = write_files(blueprint, tmp_path / "new", random=random)
    assert sorted((tmp_path / "new").iterdir()) == list(paths)
    files, expected = open_set(paths[0]), blueprint.shard_set()
    assert inventory(files) == inventory(expected)
    assert files.metadata["split.count"] == len(paths) == 2
    for key, value in blueprint.metadata.items():
        assert files.metadata[key] == pytest.approx(value), key
    card, planned = model_card(files), model_card(expected)
    assert (card.n_vocab, card.fim, card.chat_template) == (planned.n_vocab, planned.fim, planned.chat_template)
    assert (card.n_params, card.tensor_bytes) == (planned.n_params, planned.tensor_bytes)


def test_a_seed_gives_the_same_weights_again(blueprint: Blueprint, tmp_path: Path) -> None:
    first, again, other = (
        write_files(blueprint, tmp_path / str(n), random=True, seed=seed)[1].read_bytes()
        for n, seed in enumerate([1, 1, 2])
    )
    assert first == again != other


def test_a_file_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    text = """
tensors = [{ name = "a.weight", shape = [32], type = "MXFP4" }]
[vocabulary]
n_tokens = 300
pre = "default"
[metadata]
"general.architecture" = "llama"
"""
    with pytest.raises(ValueError, match="MXFP4"):
        write_files(parse_blueprint(text, "m"), tmp_path, random=True)
    assert list(tmp_path.iterdir()) == []


def test_the_flagship_takes_no_room(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not _knows_holes(tmp_path):
        pytest.skip("the file system has no holes")
    assert flagship.main(["--folder", str(tmp_path / "f")]) == 0
    said = capsys.readouterr().out
    first, second = sorted((tmp_path / "f").iterdir())
    assert f"{first.name}: 49.9 GB, " in said
    assert f"{second.name}: 11.6 GB, " in said
    assert (first.stat().st_blocks + second.stat().st_blocks) * 512 < 20e6
    assert inventory(open_set(second)) == inventory(load_blueprint(flagship.FLAGSHIP).shard_set())


def _knows_holes(folder: Path) -> bool:
    probe = folder / "probe"
    with probe.open("wb") as file:
        file.truncate(1 << 20)
    return getattr(probe.stat(), "st_blocks", 1 << 20) * 512 < 1 << 20
