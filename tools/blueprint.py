"""Write the blueprint of a model's files: ``python -m tools.blueprint model.gguf > name.toml``.

Rows are merged over the layers that have the same tensor in the same shape and type.
"""

from __future__ import annotations

import argparse
import json
import re
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from lsp_server.errors import InvalidModelFileError
from lsp_server.models.blueprint import LAYER
from lsp_server.models.gguf.head import LongValue, Tensor, Value
from lsp_server.models.gguf.shard_set import ShardSet, open_set
from lsp_server.models.gguf.vocabulary import FIM_SPELLINGS

_IN_LAYER = re.compile(r"^blk\.(\d+)\.")
_NOT_OURS = ("tokenizer.", "split.")
_LINE = 116


def blueprint_toml(files: ShardSet) -> str:
    """A set's blueprint; whoever writes it out says in a comment at its top where it comes from.

    Raises:
        InvalidModelFileError: it has no vocabulary, or a list too long to be kept.
    """
    return "\n".join(
        [
            "tensors = [",
            *(f"    {row}," for row in tensor_rows(files.tensors)),
            "]",
            "",
            *_vocabulary(files),
            "",
            "[metadata]",
            *(f"{json.dumps(key)} = {_value(key, value)}" for key, value in _own(files)),
            "",
        ]
    )


def tensor_rows(tensors: Iterable[Tensor]) -> list[str]:
    """The rows of an inventory, those of a name together."""
    names: dict[str, dict[tuple[tuple[int, ...], str], list[int]]] = {}
    for tensor in tensors:
        match = _IN_LAYER.match(tensor.name)
        kinds = names.setdefault(_IN_LAYER.sub(f"blk.{LAYER}.", tensor.name), {})
        layers = kinds.setdefault((tensor.shape, tensor.type.name), [])
        if match:
            layers.append(int(match[1]))
    return [
        f'{{ name = "{name}", '
        + (f'layers = "{spans(layers)}", ' if layers else "")
        + f'shape = {list(shape)}, type = "{kind}" }}'
        for name, kinds in names.items()
        for (shape, kind), layers in kinds.items()
    ]


def spans(numbers: Iterable[int]) -> str:
    """Whole numbers as ranges: ``0-2, 5, 8-23``."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def _vocabulary(files: ShardSet) -> list[str]:
    metadata = files.metadata
    tokens, pre = metadata.get("tokenizer.ggml.tokens"), metadata.get("tokenizer.ggml.pre")
    known = tokens.found if isinstance(tokens, LongValue) else tokens
    if not isinstance(known, tuple) or not isinstance(pre, str):
        raise InvalidModelFileError(f"{files.path} has no vocabulary that a blueprint can describe.")
    length = tokens.length if isinstance(tokens, LongValue) else len(known)
    lines = ["[vocabulary]", f"n_tokens = {length}", f"pre = {json.dumps(pre)}"]
    fim = [next((s for s in spellings if s in known), None) for spellings in FIM_SPELLINGS.values()]
    if None not in fim:
        lines.append(f"fim = {json.dumps(fim, ensure_ascii=False)}")
    if "tokenizer.chat_template" in metadata:
        lines.append("chat_template = true")
    return lines


def _own(files: ShardSet) -> list[tuple[str, Value]]:
    return [(key, value) for key, value in files.metadata.items() if not key.startswith(_NOT_OURS)]


def _value(key: str, value: Value) -> str:
    if isinstance(value, LongValue):
        raise InvalidModelFileError(f"{key} is too long for a blueprint.")
    if isinstance(value, tuple):
        return _wrapped([_value(key, item) for item in value])
    if isinstance(value, bool):
        return "true" if value else "false"
    return _decimal(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _wrapped(items: list[str]) -> str:
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) > _LINE:
            lines.append("")
        lines[-1] += f"{item}, "
    if len(lines) == 1:
        return f"[{lines[0][:-2]}]"
    return "[\n" + "".join(f"    {line.rstrip()}\n" for line in lines) + "]"


def _decimal(value: float) -> str:
    """The shortest decimal that is this number in the file's single precision."""
    single = struct.pack("<f", value)
    shortest = (text for digits in range(1, 10) if struct.pack("<f", float(text := f"{value:.{digits}g}")) == single)
    return repr(float(next(shortest, repr(value))))


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 if the file cannot be described, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path, help="a GGUF file, or any shard of a set")
    options = parser.parse_args(arguments)
    try:
        print(blueprint_toml(open_set(options.file)), end="")
    except InvalidModelFileError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
