"""The file names of a model that is split into shards."""

from __future__ import annotations

import re

_SHARD = re.compile(r"^(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$", re.IGNORECASE)


def shard_names(name: str) -> tuple[str, ...]:
    """All file names of the set that a name belongs to, first shard first; the name alone if it is no shard."""
    match = _SHARD.match(name)
    count = int(match["count"]) if match else 0
    if match is None or count == 0:
        return (name,)
    stem, suffix = match["stem"], name[match.end("count") :]
    return tuple(f"{stem}-{number:05d}-of-{count:05d}{suffix}" for number in range(1, count + 1))
