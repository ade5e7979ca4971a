from __future__ import annotations

from pathlib import Path

import llama_cpp.llama_cpp
import pytest

from lsp_server.models.gguf.vocabulary import FIM_KEYS, FIM_SPELLINGS


@pytest.fixture(scope="module")
def library() -> bytes:
    """The installed llama.cpp, in which its texts can be found."""
    (path, *_) = sorted(
        path
        for path in (Path(llama_cpp.llama_cpp.__file__).parent / "lib").iterdir()
        if path.stem in ("libllama", "llama") and path.suffix in (".so", ".dylib", ".dll")
    )
    return path.read_bytes()


@pytest.mark.parametrize("text", [*FIM_KEYS.values(), *(s for part in FIM_SPELLINGS.values() for s in part)])
def test_llama_cpp_knows_each(library: bytes, text: str) -> None:
    assert text.encode() in library


def test_each_spelling_means_one_thing() -> None:
    every = [s for part in FIM_SPELLINGS.values() for s in part]
    assert len(set(every)) == len(every)
    assert FIM_KEYS.keys() == FIM_SPELLINGS.keys()
