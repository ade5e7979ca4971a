"""A model taken apart: nothing is lost, nothing counted twice, and each part has its purpose."""

from __future__ import annotations

import pytest

from lsp_server.models.blueprint import load_blueprint
from lsp_server.models.planning.anatomy import anatomy_of
from tests.support.planning import BLUEPRINTS, flagship, model, small_qwen


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_every_tensor_is_counted_once(name: str) -> None:
    files = load_blueprint(name).shard_set()
    anatomy = anatomy_of(files)
    card = anatomy.card
    assert anatomy.weights.n_bytes == card.tensor_bytes
    assert anatomy.weights.n_params == card.n_params
    assert anatomy.weights.bytes_by_type == dict(card.quantization)
    assert anatomy.weights.largest_tensor == max(tensor.n_bytes for tensor in files.tensors)
    experts = sum(group.n_bytes for group in card.groups if group.name == "experts")
    assert sum(layer.experts.n_bytes for layer in anatomy.layers) == experts
    assert anatomy.n_layers == card.n_layers
    assert all(layer.dense.n_bytes for layer in anatomy.layers)


def test_the_experts_of_the_flagship_are_nearly_all_of_it() -> None:
    anatomy = flagship()
    experts = sum(layer.experts.n_bytes for layer in anatomy.layers)
    assert 0.85 < experts / anatomy.weights.n_bytes < 0.95
    assert anatomy.is_moe
    assert anatomy.expert_share == 6 / 256
    # 284 B weights, 13 B of which take part in a token.
    dense = anatomy.weights.n_params - sum(layer.experts.n_params for layer in anatomy.layers)
    active = dense + (anatomy.weights.n_params - dense) * anatomy.expert_share
    assert active == pytest.approx(anatomy.card.n_active_params)


def test_the_flagships_fields() -> None:
    anatomy = flagship()
    assert anatomy.architecture == "deepseek4"
    assert (anatomy.window, anatomy.n_streams_hyper) == (128, 4)
    assert (anatomy.indexer_key_length, anatomy.indexer_heads, anatomy.indexer_top_k) == (128, 64, 512)
    assert anatomy.n_ff_expert == 2048
    # The list has an entry more, for a layer that the file leaves out.
    assert len(anatomy.compress_ratios) == anatomy.n_layers == 43
    assert anatomy.compress_ratios[:4] == (0, 0, 4, 128)
    assert (anatomy.compress_ratios.count(4), anatomy.compress_ratios.count(128)) == (21, 20)
    assert not anatomy.recurrent


def test_a_dense_model() -> None:
    anatomy = small_qwen()
    assert not anatomy.is_moe
    assert anatomy.expert_share == 1.0
    assert anatomy.compress_ratios == ()
    assert anatomy.windowed == (False,) * 24
    assert (anatomy.n_ff, anatomy.window, anatomy.kv_lora_rank) == (4864, 0, 0)


def test_a_head_of_its_own_is_multiplied_with_and_the_embeddings_are_not() -> None:
    anatomy = model()
    assert not anatomy.tied
    assert anatomy.head == anatomy.output
    assert set(anatomy.output.bytes_by_type) == {"F32", "Q8_0"}
    assert set(anatomy.embedding.bytes_by_type) == {"Q5_0"}


def test_tied_embeddings_are_the_head() -> None:
    anatomy = model(tied=True)
    assert anatomy.tied
    assert anatomy.head.n_bytes == anatomy.output.n_bytes + anatomy.embedding.n_bytes


def test_operations_grow_with_the_architectures_complexity() -> None:
    nodes = [model().nodes_per_layer, model(n_experts=4).nodes_per_layer, flagship().nodes_per_layer]
    assert nodes == sorted(set(nodes))


class TestWindows:
    @pytest.mark.parametrize(
        ("architecture", "windowed"),
        [
            ("gemma2", [True, False, True, False, True, False]),
            ("gpt-oss", [True, False, True, False, True, False]),
            ("cohere2", [True, True, True, False, True, True]),
            ("gemma3", [True, True, True, True, True, False]),
        ],
    )
    def test_a_pattern_that_llama_cpp_knows(self, architecture: str, windowed: list[bool]) -> None:
        anatomy = model(architecture=architecture, n_layers=6, metadata={"attention.sliding_window": 1024})
        assert anatomy.windowed == tuple(windowed)
        assert anatomy.window == 1024

    def test_a_pattern_that_the_file_says(self) -> None:
        said = {"attention.sliding_window": 512, "attention.sliding_window_pattern": [True, True, False, True]}
        assert model(architecture="gemma3", metadata=said).windowed == (True, True, False, True)
        said["attention.sliding_window_pattern"] = 2
        assert model(architecture="gemma3", metadata=said).windowed == (True, False, True, False)

    def test_an_unknown_pattern_is_planned_as_no_window(self) -> None:
        assert not any(model(metadata={"attention.sliding_window": 512}).windowed)

    def test_a_pattern_without_a_window_is_none(self) -> None:
        assert not any(model(architecture="gemma3", metadata={"attention.sliding_window": 0}).windowed)


def test_a_latent_cache_only_where_llama_cpp_keeps_one() -> None:
    """Conversions from before it could do that have the rank, but not the heads' sizes."""
    older = {"attention.kv_lora_rank": 512}
    assert model(architecture="deepseek2", metadata=older).kv_lora_rank == 0
    newer = older | {"attention.key_length_mla": 192}
    assert model(architecture="deepseek2", metadata=newer).kv_lora_rank == 512


@pytest.mark.parametrize(
    ("tensor", "recurrent"),
    [
        ("ssm_in.weight", True),
        ("time_mix_key.weight", True),
        ("shortconv.in_proj.weight", True),
        ("attn_k.weight", False),
    ],
)
def test_layers_with_a_state_are_noticed(tensor: str, recurrent: bool) -> None:
    row = f'{{ name = "blk.{{layer}}.{tensor}", layers = "1", shape = [256, 256], type = "Q4_K" }},'
    assert model(rows=row).recurrent is recurrent


class TestDamage:
    @pytest.mark.parametrize("n_layers", [0, -1, 513, (1 << 32) - 1, None])
    def test_a_number_of_layers_that_no_model_has_is_none(self, n_layers: int | None) -> None:
        anatomy = model(metadata={"block_count": n_layers})
        assert anatomy.layers == ()
        assert anatomy.weights.n_bytes == anatomy.card.tensor_bytes

    def test_tensors_of_layers_beyond_the_count_are_still_counted(self) -> None:
        anatomy = model(metadata={"block_count": 3})
        assert anatomy.n_layers == 3
        assert anatomy.weights.n_bytes == anatomy.card.tensor_bytes

    def test_ratios_for_too_few_layers(self) -> None:
        assert model(metadata={"attention.compress_ratios": [4, 128]}).compress_ratios == (4, 128, 0, 0)

    def test_numbers_that_are_none(self) -> None:
        anatomy = model(metadata={"attention.compress_ratios": [float("nan")], "attention.sliding_window": "true"})
        assert anatomy.compress_ratios == ()
