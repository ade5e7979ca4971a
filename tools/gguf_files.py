"""Write a blueprint as GGUF files that llama.cpp loads: with holes where the weights would be, or with random weights.

A hole takes no room on the disk and reads as zeros. Such files prove that a model is found, loaded and planned for
correctly; what they generate, and how fast, says nothing. Random weights at least give finite logits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFValueType, GGUFWriter
from gguf.constants import GGMLQuantizationType

from lsp_server.models.blueprint import ALIGNMENT, Blueprint
from lsp_server.models.gguf.head import GgufHead, Value
from tools.random_weights import weights
from tools.synthetic_vocabulary import synthetic_vocabulary

_SPLIT = {
    "split.no": GGUFValueType.UINT16,
    "split.count": GGUFValueType.UINT16,
    "split.tensors.count": GGUFValueType.INT32,
}


def write_files(blueprint: Blueprint, folder: Path, *, random: bool, seed: int = 0) -> tuple[Path, ...]:
    """Write a model's files, each aside and then renamed; returns their paths, the one to load first.

    Args:
        random: fill the tensors with random weights of this seed; otherwise they are holes.

    Raises:
        ValueError: the vocabulary is too small, or a tensor has a type that no random weights are made for.
        OSError: they cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed) if random else None
    paths = []
    for number, head in enumerate(blueprint.shard_set().heads):
        path = folder / head.path.name
        aside = path.with_name(f"{path.name}.part")
        try:
            _write(aside, head, blueprint, generator, with_vocabulary=number == 0)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        paths.append(path)
    return tuple(paths)


def _write(
    path: Path, head: GgufHead, blueprint: Blueprint, generator: np.random.Generator | None, *, with_vocabulary: bool
) -> None:
    _write_head(path, head, blueprint, with_vocabulary=with_vocabulary)
    architecture = blueprint.metadata["general.architecture"]
    n_experts = blueprint.metadata.get(f"{architecture}.expert_count")
    with path.open("ab") as file:
        file.write(_padding(file.tell()))
        if generator is None:
            file.truncate(file.tell() + head.wanted_bytes)
            return
        for tensor in head.tensors:
            for piece in weights(tensor, generator, n_experts if isinstance(n_experts, int) else 1):
                file.write(piece)
            file.write(_padding(tensor.n_bytes))


def _padding(size: int) -> bytes:
    return bytes(-size % ALIGNMENT)


def _write_head(path: Path, head: GgufHead, blueprint: Blueprint, *, with_vocabulary: bool) -> None:
    writer = GGUFWriter(path, str(blueprint.metadata["general.architecture"]))
    for key, value in head.metadata.items():
        _add(writer, key, value)
    if with_vocabulary:
        _add_vocabulary(writer, blueprint)
    for tensor in head.tensors:
        # The writer takes shapes as numpy has them, the other way round.
        kind = GGMLQuantizationType[tensor.type.name]
        writer.add_tensor_info(tensor.name, tensor.shape[::-1], np.dtype(np.float32), tensor.n_bytes, raw_dtype=kind)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    finally:
        writer.close()


def _add(writer: GGUFWriter, key: str, value: Value) -> None:
    if key in _SPLIT:
        writer.add_key_value(key, value, _SPLIT[key])
    elif key == "general.architecture" or key.startswith("tokenizer.ggml."):
        return  # The writer has added the first itself, and the vocabulary comes as a whole.
    elif isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    elif isinstance(value, tuple):
        writer.add_array(key, value)


def _add_vocabulary(writer: GGUFWriter, blueprint: Blueprint) -> None:
    vocabulary = synthetic_vocabulary(blueprint.vocabulary.n_tokens, blueprint.vocabulary.fim)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(blueprint.vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)
    writer.add_bos_token_id(vocabulary.bos)
    writer.add_eos_token_id(vocabulary.eos)
    writer.add_add_bos_token(False)
