from __future__ import annotations

import pytest

from lsp_server.errors import UnknownModelError
from lsp_server.models.reference import HubRef
from lsp_server.models.sources.quant import choose_file

QWEN = [
    "README.md",
    "m-q4_k_m-00001-of-00002.gguf",
    "m-q4_k_m-00002-of-00002.gguf",
    "m-q4_k_m.gguf",
    "m-q8_0.gguf",
    "mmproj-m-q4_k_m.gguf",
]


def choose(names: list[str], quant: str = "") -> str:
    return choose_file(names, HubRef("org/repo", quant=quant))


def test_one_file_is_preferred_to_the_same_in_shards() -> None:
    assert choose(QWEN) == choose(QWEN, "Q4_K_M") == "m-q4_k_m.gguf"


def test_quantizations_are_found_whatever_their_case() -> None:
    assert choose(QWEN, "Q8_0") == "m-q8_0.gguf"
    assert choose(["M.Q8_0.gguf"], "Q8_0") == "M.Q8_0.gguf"


def test_shards_are_named_by_their_first() -> None:
    assert choose(["Q4_K_M/m-00002-of-00002.gguf", "Q4_K_M/m-00001-of-00002.gguf"]) == "Q4_K_M/m-00001-of-00002.gguf"


def test_a_longer_quantization_is_another_one() -> None:
    assert choose(["m-IQ4_K_M.gguf", "m-Q4_K_M_L.gguf", "m-Q4_K_M.gguf"], "Q4_K_M") == "m-Q4_K_M.gguf"
    assert choose(["m-Q4_K_M.gguf", "m-Q4_K.gguf"], "Q4_K") == "m-Q4_K.gguf"


def test_without_the_default_quantization_the_first_file_serves() -> None:
    assert choose(["m-q8_0.gguf", "m-q2_k.gguf"]) == "m-q2_k.gguf"
    assert choose(["a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "b.gguf"]) == "a-00001-of-00002.gguf"


def test_a_missing_quantization_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownModelError, match="Q6_K") as caught:
        choose(QWEN, "Q6_K")
    assert "m-q8_0.gguf" in caught.value.hint
    assert "mmproj" not in caught.value.hint


def test_a_repository_without_gguf_says_so() -> None:
    with pytest.raises(UnknownModelError, match="no GGUF file"):
        choose(["model.safetensors"])
