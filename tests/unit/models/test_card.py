from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from lsp_server.models.card import ModelCard, group_of, model_card
from lsp_server.models.gguf.shard_set import open_set
from tests.support import gguf
from tests.support.gguf import GgufFile, Plain, TensorInfo, Typed, shards, write_set

CardOf = Callable[..., ModelCard]

DENSE: dict[str, Plain | Typed] = {
    "general.architecture": "qwen2",
    "general.name": "Tiny Dense",
    "general.license": "apache-2.0",
    "qwen2.block_count": 2,
    "qwen2.context_length": 32768,
    "qwen2.embedding_length": 512,
    "qwen2.attention.head_count": 8,
    "qwen2.attention.head_count_kv": 2,
    "tokenizer.ggml.tokens": ["a", "b", "c"],
    "tokenizer.chat_template": "{{ messages }}",
}
DENSE_TENSORS = [
    TensorInfo("token_embd.weight", (512, 3), gguf.Q6_K),
    TensorInfo("blk.0.attn_q.weight", (512, 512), gguf.Q4_K),
    TensorInfo("blk.0.attn_norm.weight", (512,)),
    TensorInfo("blk.0.ffn_up.weight", (512, 1024), gguf.Q4_K),
    TensorInfo("output_norm.weight", (512,)),
]

MOE: dict[str, Plain | Typed] = {
    "general.architecture": "deepseek4",
    "deepseek4.block_count": 3,
    "deepseek4.embedding_length": 256,
    "deepseek4.attention.head_count": 4,
    "deepseek4.attention.head_count_kv": [1, 0, 1],
    "deepseek4.attention.key_length": 512,
    "deepseek4.attention.value_length": 448,
    "deepseek4.expert_count": 8,
    "deepseek4.expert_used_count": 2,
    "deepseek4.expert_shared_count": 1,
}
MOE_TENSORS = [
    TensorInfo("output.weight", (256, 10), gguf.F16),
    TensorInfo("blk.0.ffn_gate_inp.weight", (256, 8)),
    TensorInfo("blk.0.ffn_up_exps.weight", (256, 64, 8), gguf.Q4_0),
    TensorInfo("blk.0.ffn_down_exps.weight", (64, 256, 8), gguf.Q4_0),
    TensorInfo("blk.0.ffn_up_shexp.weight", (256, 64), gguf.Q8_0),
    TensorInfo("blk.0.attn_kv.weight", (256, 512), gguf.Q8_0),
    TensorInfo("blk.0.indexer.proj.weight", (256, 4)),
    TensorInfo("hc_head.weight", (5,)),
]


@pytest.fixture
def card_of(tmp_path: Path) -> CardOf:
    """The card of a model in one file."""

    def card(metadata: Mapping[str, Plain | Typed], tensors: Sequence[TensorInfo] = ()) -> ModelCard:
        return model_card(open_set(GgufFile(metadata, tensors).write(tmp_path / "my-model.gguf")))

    return card


class TestDense:
    def test_what_the_metadata_say(self, card_of: CardOf) -> None:
        card = card_of(DENSE, DENSE_TENSORS)
        assert (card.name, card.architecture, card.licence) == ("Tiny Dense", "qwen2", "apache-2.0")
        assert (card.n_layers, card.n_heads, card.kv_heads) == (2, 8, (2, 2))
        assert (card.embedding_length, card.key_length, card.value_length) == (512, 64, 64)
        assert (card.context_length, card.n_vocab, card.chat_template, card.fim) == (32768, 3, True, False)
        assert (card.expert_used_count, card.expert_count, card.expert_shared_count) == (None, None, None)

    def test_what_the_inventory_says(self, card_of: CardOf) -> None:
        card = card_of(DENSE, DENSE_TENSORS)
        assert card.n_params == card.n_active_params == 1536 + 262144 + 512 + 524288 + 512
        # Most bytes first, whatever the order in the file.
        assert card.quantization == (("Q4_K", 147456 + 294912), ("F32", 4096), ("Q6_K", 1260))
        assert card.tensor_bytes == sum(size for _, size in card.quantization)
        assert card.file_bytes == GgufFile(DENSE, DENSE_TENSORS).length
        assert card.n_shards == 1

    def test_groups_in_the_order_in_which_they_are_shown(self, card_of: CardOf) -> None:
        card = card_of(DENSE, DENSE_TENSORS)
        assert [(g.name, g.n_tensors, g.n_params, g.n_bytes) for g in card.groups] == [
            ("embeddings", 1, 1536, 1260),
            ("attention", 2, 262656, 147456 + 2048),
            ("feed forward", 1, 524288, 294912),
            ("other", 1, 512, 2048),
        ]


class TestExperts:
    def test_active_parameters_are_all_but_the_experts_not_chosen(self, card_of: CardOf) -> None:
        card = card_of(MOE, MOE_TENSORS)
        experts = 2 * 256 * 64 * 8
        rest = 2560 + 2048 + 16384 + 131072 + 1024 + 5
        assert card.n_params == rest + experts
        assert card.n_active_params == rest + experts * 2 // 8
        assert (card.expert_used_count, card.expert_count, card.expert_shared_count) == (2, 8, 1)

    def test_groups(self, card_of: CardOf) -> None:
        groups = {g.name: g.n_tensors for g in card_of(MOE, MOE_TENSORS).groups}
        assert groups == {
            "embeddings": 1,
            "experts": 2,
            "shared experts": 1,
            "attention": 2,
            "feed forward": 1,
            "other": 1,
        }

    def test_heads_of_each_layer(self, card_of: CardOf) -> None:
        card = card_of(MOE, MOE_TENSORS)
        assert card.kv_heads == (1, 0, 1)
        assert (card.key_length, card.value_length) == (512, 448)

    def test_without_the_number_used_nothing_is_assumed(self, card_of: CardOf) -> None:
        metadata = {key: value for key, value in MOE.items() if key != "deepseek4.expert_used_count"}
        card = card_of(metadata, MOE_TENSORS)
        assert card.expert_used_count is None
        assert card.n_active_params == card.n_params

    def test_over_several_shards(self, tmp_path: Path, card_of: CardOf) -> None:
        paths = write_set(tmp_path, shards([MOE_TENSORS[:3], MOE_TENSORS[3:]], MOE))
        card, whole = model_card(open_set(paths[1])), card_of(MOE, MOE_TENSORS)
        assert card.n_shards == 2
        assert card.file_bytes == sum(path.stat().st_size for path in paths)
        assert (card.n_params, card.n_active_params, card.tensor_bytes, card.groups, card.quantization) == (
            whole.n_params,
            whole.n_active_params,
            whole.tensor_bytes,
            whole.groups,
            whole.quantization,
        )


class TestHeads:
    def test_as_many_for_keys_and_values_unless_the_metadata_say_otherwise(self, card_of: CardOf) -> None:
        card = card_of({"general.architecture": "x", "x.block_count": 3, "x.attention.head_count": 4})
        assert (card.n_heads, card.kv_heads) == (4, (4, 4, 4))

    def test_numbers_that_differ_from_layer_to_layer(self, card_of: CardOf) -> None:
        card = card_of({"general.architecture": "x", "x.block_count": 3, "x.attention.head_count": [4, 8, 0]})
        assert (card.n_heads, card.kv_heads) == (8, (4, 8, 0))

    @pytest.mark.parametrize("n_layers", [(1 << 32) - 1, 513, Typed(gguf.INT32, -1)])
    def test_a_number_of_layers_that_no_model_has_takes_no_memory(self, card_of: CardOf, n_layers: Plain) -> None:
        card = card_of({"general.architecture": "x", "x.block_count": n_layers, "x.attention.head_count": 4})
        assert card.kv_heads == ()

    def test_no_heads(self, card_of: CardOf) -> None:
        card = card_of(
            {"general.architecture": "mamba", "mamba.attention.head_count": 0, "mamba.embedding_length": 768}
        )
        assert (card.n_heads, card.key_length, card.kv_heads) == (0, None, ())


class TestFillInTheMiddle:
    KEYS = ("tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.fim_mid_token_id")

    def test_by_key(self, card_of: CardOf) -> None:
        assert card_of(dict.fromkeys(self.KEYS, 0)).fim is True

    @pytest.mark.parametrize("absent", KEYS)
    def test_by_key_all_three_are_needed(self, card_of: CardOf, absent: str) -> None:
        assert card_of({key: 5 for key in self.KEYS if key != absent}).fim is False

    @pytest.mark.parametrize("n_words", [1, 5000], ids=["short", "long"])
    @pytest.mark.parametrize(
        "tokens",
        [
            ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
            ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
            ["▁<PRE>", "▁<SUF>", "▁<MID>"],
        ],
    )
    def test_by_spelling(self, card_of: CardOf, tokens: list[str], n_words: int) -> None:
        words = ["w"] * n_words
        assert card_of({"tokenizer.ggml.tokens": [*words, *tokens]}).fim is True
        assert card_of({"tokenizer.ggml.tokens": [*tokens[:2], *words]}).fim is False

    def test_some_by_key_and_some_by_spelling(self, card_of: CardOf) -> None:
        tokens = ["<fim_suffix>", "<fim_middle>"]
        assert card_of({self.KEYS[0]: 1, "tokenizer.ggml.tokens": tokens}).fim is True
        assert card_of({self.KEYS[1]: 1, "tokenizer.ggml.tokens": tokens}).fim is False


def test_a_vocabulary_too_long_to_keep_is_still_counted(card_of: CardOf) -> None:
    assert card_of({"tokenizer.ggml.tokens": ["w"] * 5000}).n_vocab == 5000


def test_what_the_files_do_not_say(card_of: CardOf) -> None:
    card = card_of({})
    assert (card.name, card.architecture) == ("my-model", "unknown")
    assert (card.n_params, card.n_active_params, card.tensor_bytes) == (0, 0, 0)
    assert (card.quantization, card.groups, card.kv_heads) == ((), (), ())
    assert (card.fim, card.chat_template) == (False, False)
    for field in ("n_layers", "n_heads", "key_length", "value_length", "embedding_length", "context_length"):
        assert getattr(card, field) is None
    for field in ("n_vocab", "licence", "expert_count", "expert_used_count", "expert_shared_count"):
        assert getattr(card, field) is None


def test_values_of_other_types_than_they_should_have(card_of: CardOf) -> None:
    card = card_of(
        {
            "general.architecture": "x",
            "general.name": 5,
            "general.license": ["mit"],
            "x.block_count": "many",
            "x.context_length": 4096.5,
            "x.attention.head_count": True,
            "x.attention.head_count_kv": "two",
            "tokenizer.ggml.tokens": "abc",
        }
    )
    assert (card.name, card.licence, card.n_layers, card.context_length) == ("my-model", None, None, None)
    assert (card.n_heads, card.kv_heads, card.n_vocab, card.fim) == (None, (), None, False)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("token_embd.weight", "embeddings"),
        ("output.weight", "embeddings"),
        ("output_norm.weight", "other"),
        ("blk.3.ffn_gate_up_exps.weight", "experts"),
        ("blk.3.ffn_down_shexp.weight", "shared experts"),
        ("blk.3.ffn_norm.weight", "feed forward"),
        ("blk.3.attn_output.weight", "attention"),
        ("blk.3.ssm_in.weight", "attention"),
        ("rope_freqs.weight", "other"),
    ],
)
def test_group_of(name: str, group: str) -> None:
    assert group_of(name) == group
