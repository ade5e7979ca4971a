from __future__ import annotations

import pytest

from lsp_server.errors import InvalidModelFileError
from lsp_server.models.blueprint import Blueprint, load_blueprint, parse_blueprint
from lsp_server.models.card import model_card
from lsp_server.models.catalog import Catalog, CatalogModel
from lsp_server.models.gguf.head import LongValue

ROW = '{ name = "blk.{layer}.w.weight", layers = "0-2", shape = [256, 4], type = "Q4_K" }'
VOCABULARY = 'n_tokens = 1000\npre = "qwen2"'
METADATA = '"general.architecture" = "qwen2"'


def toml(rows: str = ROW, vocabulary: str = VOCABULARY, metadata: str = METADATA, rest: str = "") -> str:
    return f"tensors = [{rows}]\n[vocabulary]\n{vocabulary}\n[metadata]\n{metadata}\n{rest}"


def parsed(text: str) -> Blueprint:
    return parse_blueprint(text, "m")


class TestTensors:
    def test_rows_without_layers_come_first_then_layer_by_layer(self) -> None:
        rows = (
            '{ name = "blk.{layer}.b.weight", layers = "0-1", shape = [4], type = "F32" }',
            '{ name = "output.weight", shape = [4], type = "F32" }',
            '{ name = "blk.{layer}.a.weight", layers = "1, 3", shape = [4], type = "F32" }',
        )
        (head,) = parsed(toml(",".join(rows))).shard_set().heads
        assert [tensor.name for tensor in head.tensors] == [
            "output.weight",
            "blk.0.b.weight",
            "blk.1.b.weight",
            "blk.1.a.weight",
            "blk.3.a.weight",
        ]

    def test_places_and_sizes(self) -> None:
        rows = ROW.replace("[256, 4]", "[256, 5]") + ', { name = "n.weight", shape = [3], type = "F16" }'
        (head,) = parsed(toml(rows)).shard_set().heads
        assert [(t.offset, t.n_bytes, t.n_elements) for t in head.tensors] == [
            (0, 6, 3),
            (32, 720, 1280),
            (32 + 736, 720, 1280),
            (32 + 2 * 736, 720, 1280),
        ]
        assert head.file_bytes == head.wanted_bytes == 32 + 2 * 736 + 720
        assert head.is_whole

    def test_layers_are_numbers_and_ranges(self) -> None:
        (row,) = parsed(toml(ROW.replace("0-2", " 0, 2-4,7 "))).rows
        assert row.layers == (0, 2, 3, 4, 7)

    def test_one_name_may_have_other_shapes_in_other_layers(self) -> None:
        rows = ROW + "," + ROW.replace("0-2", "3").replace("[256, 4]", "[512, 4]")
        assert len(parsed(toml(rows)).shard_set().tensors) == 4


class TestShards:
    def test_a_shard_ends_before_the_tensor_that_would_not_fit(self) -> None:
        # Three tensors of 576 bytes.
        files = parsed(toml(rest="[shards]\nmax_bytes = 1200")).shard_set()
        assert [len(head.tensors) for head in files.heads] == [2, 1]
        assert [head.path.name for head in files.heads] == ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]
        assert files.heads[1].tensors[0].offset == 0
        assert dict(files.heads[1].metadata) == {"split.no": 1, "split.count": 2, "split.tensors.count": 3}

    def test_a_tensor_larger_than_a_shard_has_one_of_its_own(self) -> None:
        files = parsed(toml(rest="[shards]\nmax_bytes = 100")).shard_set()
        assert [len(head.tensors) for head in files.heads] == [1, 1, 1]

    def test_one_file_says_nothing_of_a_split(self) -> None:
        files = parsed(toml()).shard_set()
        assert files.path.name == "m.gguf"
        assert not [key for key in files.metadata if key.startswith("split.")]


class TestMetadata:
    def test_values_of_every_kind(self) -> None:
        lines = ('"a" = 1', '"b" = 1.5', '"c" = true', '"d" = "x"', '"e" = [0, 4]', '"f" = [1.0, 2.0]')
        found = parsed(toml(metadata="\n".join((METADATA, *lines)))).metadata
        assert found == {
            "general.architecture": "qwen2",
            "a": 1,
            "b": 1.5,
            "c": True,
            "d": "x",
            "e": (0, 4),
            "f": (1.0, 2.0),
        }

    def test_the_vocabulary_looks_like_one_that_was_read(self) -> None:
        fim = '["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]'
        blueprint = parsed(toml(vocabulary=f"{VOCABULARY}\nfim = {fim}\nchat_template = true"))
        files = blueprint.shard_set()
        assert files.metadata["tokenizer.ggml.tokens"] == LongValue(1000, blueprint.vocabulary.fim)
        card = model_card(files)
        assert (card.n_vocab, card.fim, card.chat_template) == (1000, True, True)

    def test_what_is_not_said_is_not_there(self) -> None:
        card = model_card(parsed(toml()).shard_set())
        assert (card.fim, card.chat_template, card.name) == (False, False, "m")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("tensors = [", "no TOML"),
        (toml(rows=""), "no tensors"),
        (toml() + "[model]\n", "model is no part"),
        (toml(metadata='"a" = 1'), "general.architecture"),
        (toml(metadata=METADATA + '\n"a" = [1, 1.5]'), "metadata: a must"),
        (toml(metadata=METADATA + '\n"a" = []'), "metadata: a must"),
        (toml(metadata=METADATA + '\n"a" = { b = 1 }'), "metadata: a must"),
        (toml(vocabulary='pre = "x"'), "n_tokens"),
        (toml(vocabulary="n_tokens = 10"), "pre must"),
        (toml(vocabulary=VOCABULARY + '\nfim = ["a", "b"]'), "fim must"),
        (toml(vocabulary=VOCABULARY + "\nchat_template = 1"), "chat_template must"),
        (toml(vocabulary=VOCABULARY + "\nbos = 1"), "bos is unknown"),
        (toml(rest="[shards]\nmax_bytes = 0"), "max_bytes"),
        (toml(rest="[shards]\nmin_bytes = 9"), "max_bytes"),
        (toml(rows=f"{ROW}, {{ shape = [4] }}"), "row 2 has no name"),
        (toml(rows=ROW.replace("Q4_K", "Q4")), r"row 1 \(blk\.\{layer\}\.w\.weight\): 'Q4' is no tensor type"),
        (toml(rows=ROW.replace("256", "128")), "128 is no multiple of Q4_K's 256"),
        (toml(rows=ROW.replace("[256, 4]", "[]")), "one to four"),
        (toml(rows=ROW.replace("[256, 4]", "[256, 0]")), "0 is no positive"),
        (toml(rows=ROW.replace("[256, 4]", "[256, true]")), "True is no positive"),
        (toml(rows=ROW.replace('layers = "0-2", ', "")), "go together"),
        (toml(rows=ROW.replace("{layer}", "0")), "go together"),
        (toml(rows=ROW.replace("0-2", "2-0")), "ascend"),
        (toml(rows=ROW.replace("0-2", "0-2, 2")), "ascend"),
        (toml(rows=ROW.replace("0-2", "all")), "must be like"),
        (toml(rows=ROW.replace("0-2", "0-9999999")), "must be like"),
        (toml(rows=ROW.replace(" }", ", shard = 1 }")), "shard is unknown"),
        (toml(rows=f"{ROW}, {ROW.replace('0-2', '2-3')}"), "is there twice"),
    ],
)
def test_a_mistake_is_named(text: str, what: str) -> None:
    with pytest.raises(InvalidModelFileError, match=what) as caught:
        parsed(text)
    assert caught.value.message.startswith("The blueprint m is ")


def test_a_name_without_a_blueprint() -> None:
    with pytest.raises(InvalidModelFileError, match="no blueprint of 'x'"):
        load_blueprint("x")


@pytest.mark.parametrize("model", list(Catalog.load()), ids=lambda model: model.name)
class TestShipped:
    def test_its_files_are_those_of_the_catalog(self, model: CatalogModel) -> None:
        """A head takes about 6 MB, nearly all of it the vocabulary."""
        heads = load_blueprint(model.name).shard_set().heads
        assert len(heads) == len(model.files)
        sizes = [file.size or 0 for file in model.files]
        found = [head.file_bytes + (6_000_000 if n == 0 else 0) for n, head in enumerate(heads)]
        assert found == pytest.approx(sizes, rel=0.005)
        assert sum(found) == pytest.approx(sum(sizes), rel=0.005)

    def test_its_card_is_whole(self, model: CatalogModel) -> None:
        card = model_card(load_blueprint(model.name).shard_set())
        assert (card.fim, card.chat_template, card.n_shards) == (model.fim, True, len(model.files))
        assert len(card.kv_heads) == card.n_layers
        assert card.n_vocab
        assert card.context_length


def test_the_flagship_is_what_its_publisher_says() -> None:
    card = model_card(load_blueprint("deepseek-v4-flash").shard_set())
    assert card.n_params == pytest.approx(284.5e9, rel=0.01)
    assert card.n_active_params == pytest.approx(13e9, rel=0.1)
    assert card.tensor_bytes == pytest.approx(61e9, rel=0.01)
    assert (card.expert_used_count, card.expert_count, card.expert_shared_count) == (6, 256, 1)
    assert (card.n_layers, card.context_length, card.n_vocab) == (43, 1048576, 129280)


def test_the_flagship_has_as_many_tensors_as_published_quantizations() -> None:
    assert len(load_blueprint("deepseek-v4-flash").shard_set().tensors) == 1328
