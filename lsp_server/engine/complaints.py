"""What llama.cpp's own words tell of a failure."""

from __future__ import annotations

import re

# llama.cpp, ggml (which then ends the process), CUDA, the C++ and the Python runtime, and the system, in this order.
_MEMORY = re.compile(
    "unable to allocate|failed to allocate|insufficient memory|out of memory|bad_alloc|MemoryError|cannot allocate",
    re.IGNORECASE,
)


def tells_of_memory(text: str) -> bool:
    """Whether a log or an error message says that there was not enough memory."""
    return bool(_MEMORY.search(text))
