from __future__ import annotations

import pytest

from lsp_server.engine.complaints import tells_of_memory


@pytest.mark.parametrize(
    "text",
    [
        "llama_model_load: error loading model: unable to allocate CPU_REPACK buffer",
        "llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache",
        "ggml_aligned_malloc: insufficient memory (attempted to allocate  44.89 MB)",
        "CUDA error: out of memory",
        "llama_model_load: error loading model: mmap failed: Cannot allocate memory",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "Traceback (most recent call last):\nMemoryError",
    ],
)
def test_want_of_memory_is_recognized(text: str) -> None:
    assert tells_of_memory(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "load: control-looking token: 128247 '</s>' was not control-type; this is probably a bug in the model.",
        "llama_model_load: error loading model: unknown model architecture: 'tomorrow'",
        "llama_model_load: error loading model: tensor 'output.weight' data is not within the file bounds",
    ],
)
def test_other_complaints_are_not(text: str) -> None:
    assert not tells_of_memory(text)
