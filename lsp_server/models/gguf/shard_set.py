"""A model's files as one: found from any member, read, and held against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lsp_server.errors import InvalidModelFileError
from lsp_server.models.gguf.head import GgufHead, Tensor, Value
from lsp_server.models.gguf.reader import REPAIR, read_head
from lsp_server.models.shards import shard_names

_NO, _COUNT, _TENSORS = "split.no", "split.count", "split.tensors.count"


@dataclass(frozen=True)
class ShardSet:
    """The heads of a model's files, first shard first; a model in one file is a set of one."""

    heads: tuple[GgufHead, ...]

    @property
    def path(self) -> Path:
        """The file that llama.cpp is given."""
        return self.heads[0].path

    @property
    def metadata(self) -> Mapping[str, Value]:
        """The model's metadata; it stands in the first shard."""
        return self.heads[0].metadata

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors of all shards."""
        return tuple(tensor for head in self.heads for tensor in head.tensors)

    @property
    def file_bytes(self) -> int:
        """Length of all files together."""
        return sum(head.file_bytes for head in self.heads)


def open_set(member: Path) -> ShardSet:
    """Read and check the set that a file belongs to.

    Raises:
        InvalidModelFileError: a shard is missing, damaged, cut short, or belongs to another set; it is named.
    """
    names = shard_names(member.name)
    if member.name not in names:
        raise InvalidModelFileError(
            f"{member} has a name that no shard of a set has.",
            hint="The shards of a set are named NAME-00001-of-00003.gguf and so on, counted from 1.",
        )
    heads = []
    for number, name in enumerate(names):
        path = member.with_name(name)
        if not path.is_file():
            what = f"shard {number + 1} of {len(names)}" if len(names) > 1 else "the model file"
            raise InvalidModelFileError(f"{path} is missing: {what}.", hint=REPAIR)
        heads.append(read_head(path))
    return check_set(heads)


def check_set(heads: Sequence[GgufHead]) -> ShardSet:
    """Hold the heads of a model's files, in the order of their names, against each other; no file is touched.

    Raises:
        InvalidModelFileError: a file says of itself that its place is another, is cut short, or is of another set.
    """
    for number, head in enumerate(heads):
        _check_place(head, number, len(heads))
        if not head.is_whole:
            raise InvalidModelFileError(
                f"{head.path} is cut short: it has {head.file_bytes} bytes and its tensors need {head.wanted_bytes}.",
                hint=REPAIR,
            )
    _check_tensors(heads)
    return ShardSet(tuple(heads))


def _check_place(head: GgufHead, number: int, count: int) -> None:
    """Whether a file says of itself what its name says."""
    said_count = head.integer(_COUNT)
    if count == 1:
        if said_count is not None and said_count > 1:
            raise InvalidModelFileError(
                f"{head.path} is shard {(head.integer(_NO) or 0) + 1} of {said_count}, but its name does not say so.",
                hint=f"Rename the set's files to NAME-00001-of-{said_count:05d}.gguf and so on.",
            )
        return
    if said_count != count:
        raise InvalidModelFileError(
            f"{head.path}: split.count is {said_count}, and the name says {count}; it belongs to another set.",
            hint=REPAIR,
        )
    if head.integer(_NO) != number:
        raise InvalidModelFileError(
            f"{head.path}: split.no is {head.integer(_NO)}, and the name says {number} (counted from 0).", hint=REPAIR
        )


def _check_tensors(heads: Sequence[GgufHead]) -> None:
    """Whether the shards are of one set, and have each tensor once."""
    first = heads[0]
    promised = first.integer(_TENSORS)
    owner: dict[str, Path] = {}
    for head in heads:
        said = head.integer(_TENSORS)
        if said != promised:
            raise InvalidModelFileError(
                f"{head.path} is of another set than {first.path}: its split.tensors.count is {said}, not {promised}.",
                hint=REPAIR,
            )
        for tensor in head.tensors:
            if tensor.name in owner:
                raise InvalidModelFileError(
                    f"The tensor {tensor.name} is in {owner[tensor.name]} and in {head.path}.", hint=REPAIR
                )
            owner[tensor.name] = head.path
    if len(heads) > 1 and promised != len(owner):
        raise InvalidModelFileError(
            f"The set of {first.path} has {len(owner)} tensors and promises {promised}.", hint=REPAIR
        )
