from __future__ import annotations

import re

import pytest

from lsp_server.errors import UnknownModelError
from lsp_server.models.blueprint import load_blueprint
from lsp_server.models.catalog import Catalog, FimLayout

MINIMAL = """
[auto]
completion = ["one"]
assistant = [{assistant}]
[fim_layouts]
default = {{ order = "prefix-first", suffix_tokens = 64 }}
[[models]]
name = "one"
title = "One"
roles = ["completion"]
repository = "org/one"
licence = "MIT"
commercial_use = true
fim = false
[[models.files]]
name = "one.gguf"
"""


@pytest.fixture
def catalog() -> Catalog:
    return Catalog.load()


def test_the_promised_models_are_there(catalog: Catalog) -> None:
    sizes = ("0.5b", "1.5b", "3b", "7b", "14b")
    assert {model.name for model in catalog} == {"deepseek-v4-flash", *(f"qwen2.5-coder-{size}" for size in sizes)}


def test_every_model_has_a_blueprint(catalog: Catalog) -> None:
    for model in catalog:
        assert load_blueprint(model.name).name == model.name


def test_the_flagship_has_two_shards_in_order(catalog: Catalog) -> None:
    names = [file.name for file in catalog.get("deepseek-v4-flash").files]
    assert names == [f"DeepSeek-V4-Flash-IQ1_S-XL-0000{n}-of-00002.gguf" for n in (1, 2)]


def test_checksums_are_well_formed_and_come_with_a_size(catalog: Catalog) -> None:
    pinned = [file for model in catalog for file in model.files if file.sha256 is not None]
    assert pinned
    for file in pinned:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256 or "")
        assert file.size


@pytest.mark.parametrize("role", ["completion", "assistant"])
def test_auto_offers_only_models_of_the_role_that_may_be_used_commercially(catalog: Catalog, role: str) -> None:
    candidates = catalog.auto(role)  # type: ignore[arg-type]
    assert candidates
    for model in candidates:
        assert role in model.roles
        assert model.commercial_use


def test_only_the_research_licence_forbids_commercial_use(catalog: Catalog) -> None:
    assert [model.name for model in catalog if not model.commercial_use] == ["qwen2.5-coder-3b"]


def test_a_mirrored_model_is_one_pinned_file(catalog: Catalog) -> None:
    mirrored = {model.name: model for model in catalog if model.mirror is not None}
    assert set(mirrored) == {"qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"}
    for model in mirrored.values():
        (file,) = model.files
        assert file.sha256
        assert model.mirror is not None
        assert model.mirror.packages[-1].endswith(str(len(model.mirror.packages)))


def test_an_unknown_name_is_answered_with_near_ones(catalog: Catalog) -> None:
    with pytest.raises(UnknownModelError, match=r"qwen2\.5-coder-0\.5") as caught:
        catalog.get("Qwen2.5-coder-0.5")
    assert "qwen2.5-coder-0.5b" in caught.value.hint


def test_a_name_near_to_none_is_answered_with_the_way_to_find_one(catalog: Catalog) -> None:
    with pytest.raises(UnknownModelError) as caught:
        catalog.get("zzz")
    assert "models list" in caught.value.hint


def test_fim_layout_by_architecture(catalog: Catalog) -> None:
    assert catalog.fim_layout("qwen2") == FimLayout("suffix-first")
    assert catalog.fim_layout("deepseek4") == FimLayout("prefix-first", 256)
    assert catalog.fim_layout("never-heard-of") == FimLayout("prefix-first", 128)


@pytest.mark.parametrize(
    ("layout", "complaint"),
    [
        ('"prefix-first"', "must be a table"),
        ('{ order = "middle-first", suffix_tokens = 64 }', "order must be one of"),
        ("{ suffix_tokens = 64 }", "order must be one of"),
        ('{ order = "prefix-first" }', "suffix_tokens is missing"),
        ('{ order = "prefix-first", suffix_tokens = 0 }', "positive number"),
        ('{ order = "prefix-first", suffix_tokens = true }', "positive number"),
        ('{ order = "suffix-first", suffix_tokens = "many" }', "positive number"),
        ('{ order = "suffix-first", sufix_tokens = 64 }', "sufix_tokens is not known"),
    ],
)
def test_a_layout_says_its_order_and_a_number_of_tokens(layout: str, complaint: str) -> None:
    text = MINIMAL.format(assistant="").replace("[[models]]", f"new = {layout}\n[[models]]", 1)
    with pytest.raises(ValueError, match=rf"fim_layouts\.new.*{complaint}"):
        Catalog.parse(text)


def test_there_has_to_be_a_default_layout() -> None:
    with pytest.raises(KeyError, match="default"):
        Catalog.parse(MINIMAL.format(assistant="").replace("default =", "qwen2 ="))


def test_size_is_the_sum_or_unknown(catalog: Catalog) -> None:
    assert catalog.get("deepseek-v4-flash").size == 49952658368 + 11588146976
    assert Catalog.parse(MINIMAL.format(assistant="")).get("one").size is None


def test_the_catalog_is_read_once() -> None:
    assert Catalog.load() is Catalog.load()


def test_auto_may_not_name_a_model_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="two"):
        Catalog.parse(MINIMAL.format(assistant='"two"'))


def test_each_family_is_spelled_in_a_way_of_its_own() -> None:
    catalog = Catalog.load()
    parts = [part for texts in catalog.marker_texts for part in texts.models]

    assert len(parts) == len(set(parts))
    for texts in catalog.marker_texts:
        assert texts.suffix
        assert texts.middle
        assert texts.order in ("suffix-first", "prefix-first")
        for part in texts.models:
            assert part == part.lower()
            assert catalog.spelled(f"org/{part.upper()}-7b.gguf") is texts
    for model in catalog:
        assert catalog.spelled(model.repository), "what we offer can be served elsewhere, too"
