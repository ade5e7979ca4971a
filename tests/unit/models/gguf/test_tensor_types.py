from __future__ import annotations

import ctypes
from pathlib import Path

import llama_cpp.llama_cpp
from llama_cpp._ctypes_extensions import load_shared_library

from lsp_server.models.gguf.tensor_types import TENSOR_TYPES, TensorType


def installed_types() -> dict[int, TensorType]:
    """The types of the installed llama.cpp, asked one by one."""
    ggml = load_shared_library("ggml-base", Path(llama_cpp.llama_cpp.__file__).parent / "lib")
    ggml.ggml_type_name.argtypes, ggml.ggml_type_name.restype = [ctypes.c_int], ctypes.c_char_p
    ggml.ggml_blck_size.argtypes, ggml.ggml_blck_size.restype = [ctypes.c_int], ctypes.c_int64
    ggml.ggml_type_size.argtypes, ggml.ggml_type_size.restype = [ctypes.c_int], ctypes.c_size_t
    return {
        number: TensorType(ggml.ggml_type_name(number).decode().upper(), size, ggml.ggml_type_size(number))
        for number in range(llama_cpp.llama_cpp.GGML_TYPE_COUNT)
        # Types that were removed have no blocks.
        if (size := ggml.ggml_blck_size(number))
    }


def test_the_table_is_the_installed_librarys() -> None:
    ours = {n: TensorType(t.name.upper(), t.block_size, t.block_bytes) for n, t in TENSOR_TYPES.items()}
    assert ours == installed_types()
