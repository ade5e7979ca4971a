from __future__ import annotations

from lsp_server.models.shards import shard_names


def test_any_shard_names_the_whole_set() -> None:
    expected = ("q/m-00001-of-00003.gguf", "q/m-00002-of-00003.gguf", "q/m-00003-of-00003.gguf")
    assert shard_names("q/m-00001-of-00003.gguf") == expected
    assert shard_names("q/m-00003-of-00003.gguf") == expected


def test_the_suffix_keeps_its_case() -> None:
    assert shard_names("M-00001-of-00001.GGUF") == ("M-00001-of-00001.GGUF",)


def test_a_single_file_is_its_own_set() -> None:
    assert shard_names("m-q4_k_m.gguf") == ("m-q4_k_m.gguf",)


def test_a_set_of_none_is_no_set() -> None:
    assert shard_names("m-00001-of-00000.gguf") == ("m-00001-of-00000.gguf",)
