"""Loading the library itself, its log and its description of the machine."""

from __future__ import annotations

import ctypes
import logging
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

# libgomp's threads spin while they wait. Beside another busy process (a compiler, an indexer) that makes decoding
# ten times slower; a short spin costs nothing when the machine is quiet. It must be set before the library loads.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import llama_cpp.llama_cpp
from llama_cpp import _ctypes_extensions

from lsp_server.engine.hardware import Device, Library

C: Any = llama_cpp.llama_cpp

logger = logging.getLogger("llama.cpp")

_LEVELS = {2: logging.DEBUG, 3: logging.WARNING, 4: logging.ERROR}
_recent: deque[str] = deque(maxlen=40)
_partial: list[tuple[int, str]] = []
# What it complains of when a step is cancelled (status 1 and answer 2 are its words for that), at every keystroke.
_HARMLESS = (
    "failed to compute graph, compute status: 1",
    "failed to decode, ret = 2",
    "graph_compute_async failed with error 1",
    "removing memory module entries",
)
listeners: list[Callable[[str], object]] = []
"""Called with each line of llama.cpp's log."""


def _on_log(level: int, text: bytes, _user_data: Any) -> None:
    message = text.decode("utf-8", "replace")
    _partial.append((level, message))
    if not message.endswith("\n"):
        return
    # What continues a line has a level that says no more than that.
    level, line = _partial[0][0], "".join(text for _, text in _partial).rstrip()
    _partial.clear()
    if line:
        for listener in listeners:
            listener(line)
        if any(words in line for words in _HARMLESS):
            level = 0
        if level >= 3:
            _recent.append(line)
        logger.log(_LEVELS.get(level, logging.DEBUG), "%s", line)


# ctypes keeps no reference to a callback; a module variable does.
_log_callback = C.llama_log_callback(_on_log)
_started = False


def start() -> None:
    """Initialize llama.cpp once and send its log to the ``llama.cpp`` logger."""
    global _started
    if not _started:
        C.llama_log_set(_log_callback, ctypes.c_void_p(0))
        C.llama_backend_init()
        _started = True


def spread_over_numa_nodes() -> None:
    """Spread threads and memory over the NUMA nodes; counts for everything that is loaded afterwards."""
    start()
    C.llama_numa_init(C.GGML_NUMA_STRATEGY_DISTRIBUTE)


def shared(name: str) -> Any:
    """One of ggml's libraries that lie beside llama.cpp's, each time with function types of its own to declare."""
    return _ctypes_extensions.load_shared_library(name, Path(C.__file__).parent / "lib")


def cpu_buffer_type() -> int:
    """The address of ggml's buffer type for plain RAM."""
    base = shared("ggml-base")
    base.ggml_backend_cpu_buffer_type.restype = ctypes.c_void_p
    return int(base.ggml_backend_cpu_buffer_type())


def forget_complaints() -> None:
    """Before something that may fail: what is complained of afterwards is about that."""
    _recent.clear()


def recent_complaints() -> str:
    """llama.cpp's latest warnings and errors, oldest first, one a line; empty if there were none."""
    return "\n".join(_recent)


def system_info() -> str:
    """llama.cpp's own line about the instruction sets that it was built for."""
    start()
    return str(C.llama_print_system_info().decode("utf-8", "replace")).strip(" |\n")


def build_id() -> str:
    """Identifies the installed build: version of the bindings, size and time of the CPU library."""
    folder = Path(C.__file__).parent / "lib"
    parts = [f"{p.name}:{p.stat().st_size}:{p.stat().st_mtime_ns}" for p in sorted(folder.glob("*ggml-cpu*"))]
    return "|".join([llama_cpp.__version__, *parts])


def version() -> str:
    """Version of llama-cpp-python."""
    return str(llama_cpp.__version__)


def described() -> Library:
    """The installed library as a whole."""
    return Library(version(), system_info(), tuple(Device(*fields) for fields in devices()), build_id())


def devices() -> list[tuple[str, str, str, int, int]]:
    """What ggml can compute on: (name, description, kind, free bytes, total bytes); kind is cpu, gpu, igpu or accel."""
    start()
    registry, base = shared("ggml"), shared("ggml-base")
    registry.ggml_backend_dev_count.restype = ctypes.c_size_t
    registry.ggml_backend_dev_get.restype = ctypes.c_void_p
    registry.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    for name in ("name", "description"):
        function = getattr(base, f"ggml_backend_dev_{name}")
        function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    base.ggml_backend_dev_type.argtypes = [ctypes.c_void_p]
    size_pointer = ctypes.POINTER(ctypes.c_size_t)
    base.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p, size_pointer, size_pointer]
    base.ggml_backend_dev_memory.restype = None
    kinds = {0: "cpu", 1: "gpu", 2: "igpu", 3: "accel"}
    found = []
    for i in range(registry.ggml_backend_dev_count()):
        device = registry.ggml_backend_dev_get(i)
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        texts = (
            getattr(base, f"ggml_backend_dev_{n}")(device).decode("utf-8", "replace") for n in ("name", "description")
        )
        found.append((*texts, kinds.get(base.ggml_backend_dev_type(device), "other"), free.value, total.value))
    return found
