from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.models.blueprint import load_blueprint, parse_blueprint
from lsp_server.models.gguf.shard_set import open_set
from tests.support import gguf
from tests.support.gguf import GgufFile, TensorInfo
from tools.blueprint import blueprint_toml, main, spans

FIM = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"]
METADATA = {
    "general.architecture": "llama",
    "general.name": 'A "model"',
    "llama.block_count": 3,
    "llama.rope.freq_base": 10000.0,
    "llama.attention.layer_norm_rms_epsilon": 1e-05,
    "llama.ratios": [0, 4, 128] * 20,
    "llama.flag": True,
    "tokenizer.ggml.pre": "default",
    "tokenizer.ggml.tokens": [*FIM, *map(str, range(5000))],
    "tokenizer.ggml.eos_token_id": 3,
    "tokenizer.chat_template": "x",
}
TENSORS = [
    TensorInfo("token_embd.weight", (32, 5003), gguf.Q8_0),
    *(TensorInfo(f"blk.{n}.a.weight", (32, 2), gguf.Q4_0 if n else gguf.Q8_0) for n in range(3)),
]


def test_a_file_comes_back_from_its_blueprint(tmp_path: Path) -> None:
    files = open_set(GgufFile(METADATA, TENSORS).write(tmp_path / "m.gguf"))
    blueprint = parse_blueprint(blueprint_toml(files), "m")

    again = blueprint.shard_set()
    assert [(t.name, t.shape, t.type) for t in again.tensors] == [(t.name, t.shape, t.type) for t in files.tensors]
    assert again.metadata["llama.ratios"] == files.metadata["llama.ratios"]
    assert again.metadata["general.name"] == 'A "model"'
    assert again.metadata["llama.attention.layer_norm_rms_epsilon"] == 1e-05
    assert again.metadata["tokenizer.ggml.tokens"] == files.metadata["tokenizer.ggml.tokens"]
    assert blueprint.vocabulary.fim == tuple(FIM)


def test_layers_with_the_same_tensor_make_one_row(tmp_path: Path) -> None:
    files = open_set(GgufFile(METADATA, TENSORS).write(tmp_path / "m.gguf"))
    rows = [line for line in blueprint_toml(files).splitlines() if "name =" in line]
    assert len(rows) == 3
    assert '"blk.{layer}.a.weight", layers = "1-2", shape = [32, 2], type = "Q4_0"' in rows[2]


def test_spans() -> None:
    assert spans([8, 0, 1, 2, 5, 9]) == "0-2, 5, 8-9"


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = GgufFile(METADATA, TENSORS).write(tmp_path / "m.gguf")
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == blueprint_toml(open_set(path))


def test_a_file_without_a_vocabulary_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = GgufFile({"general.architecture": "llama"}, TENSORS).write(tmp_path / "m.gguf")
    assert main([str(path)]) == 1
    assert "no vocabulary" in capsys.readouterr().err


@pytest.mark.real_model
def test_the_shipped_blueprint_of_the_small_model_is_that_of_its_file(small_model: Path) -> None:
    files = open_set(small_model)
    shipped = load_blueprint("qwen2.5-coder-0.5b")
    assert parse_blueprint(blueprint_toml(files), shipped.name) == shipped
