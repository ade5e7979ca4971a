"""``shardlight models inspect``: the card for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server.cli.main import main
from lsp_server.cli.model_card import human_count
from tests.support import gguf

MIXTURE = {
    "general.architecture": "deepseek4",
    "general.name": "A mixture",
    "deepseek4.block_count": 2,
    "deepseek4.context_length": 1048576,
    "deepseek4.expert_count": 256,
    "deepseek4.expert_used_count": 6,
    "deepseek4.expert_shared_count": 1,
    "deepseek4.attention.head_count": 64,
    "tokenizer.ggml.fim_pre_token_id": 1,
    "tokenizer.ggml.fim_suf_token_id": 2,
    "tokenizer.ggml.fim_mid_token_id": 3,
}


@pytest.fixture
def shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The second shard of a small mixture of experts."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    tensors = [
        [gguf.TensorInfo("token_embd.weight", (64, 1000))],
        [gguf.TensorInfo("blk.0.ffn_up_exps.weight", (64, 32, 256), gguf.Q8_0)],
    ]
    for number, file in enumerate(gguf.shards(tensors, MIXTURE), 1):
        path = tmp_path / f"m-{number:05d}-of-00002.gguf"
        path.write_bytes(file.bytes())
    return path


def test_the_card_of_a_set_from_any_member(shard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "inspect", str(shard)]) == 0
    output = capsys.readouterr().out
    for fact in (
        "A mixture",
        "deepseek4",
        "588 k, 76.3 k active",
        "6 of 256 per token, and 1 shared",
        "1,048,576 tokens",
    ):
        assert fact in output
    assert "in 2 shards" in output


def test_json_has_plain_numbers(shard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "inspect", str(shard), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert (card["n_params"], card["expert_used_count"], card["expert_count"]) == (588288, 6, 256)
    assert set(card["quantization"]) == {"F32", "Q8_0"}
    assert card["fim"] is True


def test_a_missing_shard_is_named(shard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shard.with_name("m-00001-of-00002.gguf").unlink()
    assert main(["models", "inspect", str(shard)]) == 1
    assert "m-00001-of-00002.gguf" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0 k"),
        (630_167_424, "630 M"),
        (44_089_344, "44.1 M"),
        (284_500_000_000, "284 B"),
    ],
)
def test_counts_in_a_few_digits(count: int, text: str) -> None:
    assert human_count(count) == text
