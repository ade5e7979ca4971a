"""What llama.cpp allocated, read from its log: the one place where it says so to a C program.

With ``no_alloc`` the buffers read 0.00, while the caches' own totals and the compute buffers are those of a real load
(llama.cpp prints them from the tensors it would have allocated), so the totals are what is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lsp_server.engine.native import library

_MIB = 1024 * 1024
_FIGURE = r"\s*(?P<mib>[\d.]+) MiB"
_WEIGHTS = re.compile(r"load_tensors:\s+(?P<buffer>\S+) model buffer size =" + _FIGURE)
# The key/value caches, DeepSeek-V4's compressor states and recurrent states each print a total of their own.
_CACHE = re.compile(r"^(?:llama_kv_cache|llama_dsv4_comp_state|llama_memory_recurrent)\w*: .*?\bsize =" + _FIGURE)
_CACHE_BUFFER = re.compile(r"^\w+:\s+(?P<buffer>\S+) (?:KV|RS|DSV4 \w+ state) buffer size =" + _FIGURE)
_COMPUTE = re.compile(r"sched_reserve:\s+(?P<buffer>\S+) compute buffer size =" + _FIGURE)
_OUTPUT = re.compile(r"\s(?P<buffer>\S+)\s+output buffer size =" + _FIGURE)


@dataclass
class Allocated:
    """Bytes by llama.cpp's buffer name (``CPU_Mapped``, ``CUDA0`` …); ``cache`` is a total.

    ``cache_buffers`` are zero with ``no_alloc``.
    """

    weights: dict[str, int] = field(default_factory=dict)
    cache: int = 0
    cache_buffers: dict[str, int] = field(default_factory=dict)
    compute: dict[str, int] = field(default_factory=dict)
    output: int = 0


def parse(lines: Iterable[str]) -> Allocated:
    """The allocations that some lines of llama.cpp's log report; loads and contexts add up."""
    found = Allocated()
    for line in lines:
        if match := _WEIGHTS.search(line):
            _add(found.weights, match)
        elif match := _COMPUTE.search(line):
            _add(found.compute, match)
        elif match := _OUTPUT.search(line):
            found.output += _bytes(match)
        elif match := _CACHE_BUFFER.search(line):
            _add(found.cache_buffers, match)
        elif match := _CACHE.search(line):
            found.cache += _bytes(match)
    return found


def _bytes(match: re.Match[str]) -> int:
    return round(float(match["mib"]) * _MIB)


def _add(sizes: dict[str, int], match: re.Match[str]) -> None:
    sizes[match["buffer"]] = sizes.get(match["buffer"], 0) + _bytes(match)


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The lines that llama.cpp logs meanwhile, in this process."""
    lines: list[str] = []
    library.listeners.append(lines.append)
    try:
        yield lines
    finally:
        library.listeners.remove(lines.append)
