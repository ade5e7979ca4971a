"""How fast this processor's own kernels are: ggml's matrix products, timed on weights that no cache holds.

A plan needs the rate at which weights are really read and multiplied. That is not the memory's bandwidth alone: a
quantization with few bits takes more arithmetic than loading, and on a laptop's few cores most of them do. Only called
in a process that may die (see ``engine.library_report``).
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lsp_server.engine.native import library
from lsp_server.models.gguf.tensor_types import TENSOR_TYPES
from lsp_server.models.hardware import KernelRate
from lsp_server.models.planning.kernel_table import REPACKED
from lsp_server.models.planning.placement import repacked_types

# Matrices as large as a small model's, since each begins anew; together larger than the last-level cache of anything
# but servers, where a core's share is smaller.
_COLUMNS = 2048
_MATRIX_BYTES = 4 << 20
_MATRICES = 56
_BATCH_MATRICES = 3
_BATCH = 64
_REPEATS = 3
# Seconds apart, so that what another program does for a moment does not hit the same figure twice.
_PASSES = 2
_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}


class _InitParams(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


class _Ggml:
    """The few functions of ggml that are needed, with their types declared (ctypes takes int for everything else)."""

    def __init__(self) -> None:
        library.start()
        self.base, self.cpu = library.shared("ggml-base"), library.shared("ggml-cpu")
        pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        self._declare(self.base, "ggml_init", pointer, _InitParams)
        self._declare(self.base, "ggml_free", None, pointer)
        self._declare(self.base, "ggml_tensor_overhead", size)
        self._declare(self.base, "ggml_graph_overhead", size)
        self._declare(self.base, "ggml_new_tensor_2d", pointer, pointer, number, ctypes.c_int64, ctypes.c_int64)
        self._declare(self.base, "ggml_mul_mat", pointer, pointer, pointer, pointer)
        self._declare(self.base, "ggml_new_graph", pointer, pointer)
        self._declare(self.base, "ggml_build_forward_expand", None, pointer, pointer)
        self._declare(self.base, "ggml_backend_alloc_ctx_tensors_from_buft", pointer, pointer, pointer)
        self._declare(self.base, "ggml_backend_buffer_free", None, pointer)
        self._declare(self.base, "ggml_backend_tensor_set", None, pointer, pointer, size, size)
        self._declare(self.base, "ggml_backend_graph_compute", number, pointer, pointer)
        self._declare(self.base, "ggml_backend_free", None, pointer)
        self._declare(self.base, "ggml_backend_reg_dev_get", pointer, pointer, size)
        self._declare(self.base, "ggml_backend_reg_get_proc_address", pointer, pointer, ctypes.c_char_p)
        self._declare(self.base, "ggml_backend_cpu_buffer_type", pointer)
        self._declare(self.base, "ggml_backend_buft_name", ctypes.c_char_p, pointer)
        self._declare(self.cpu, "ggml_backend_cpu_init", pointer)
        self._declare(self.cpu, "ggml_backend_cpu_reg", pointer)
        self._declare(self.cpu, "ggml_backend_cpu_set_n_threads", None, pointer, number)

    @staticmethod
    def _declare(library_: Any, name: str, result: Any, *arguments: Any) -> None:
        function = getattr(library_, name)
        function.restype, function.argtypes = result, list(arguments)

    def repacking_buffer(self) -> int | None:
        """The buffer type that keeps weights in the processor's favourite order, if this build has it."""
        registry = self.cpu.ggml_backend_cpu_reg()
        device = self.base.ggml_backend_reg_dev_get(registry, 0)
        address = self.base.ggml_backend_reg_get_proc_address(registry, b"ggml_backend_dev_get_extra_bufts")
        if not address:
            return None
        found = ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)(address)(device)
        for i in range(16):
            if not found or not found[i]:
                return None
            if self.base.ggml_backend_buft_name(found[i]) == b"CPU_REPACK":
                return int(found[i])
        return None


def measure(n_threads: int, types: Sequence[str]) -> tuple[float, dict[str, KernelRate]]:
    """(bytes per second read from memory, rates by tensor type), with ``n_threads`` threads.

    Types that this build keeps repacked are there twice, the second time with ``REPACKED`` after the name. About half
    a second a type.
    """
    ggml = _Ggml()
    backend = ggml.cpu.ggml_backend_cpu_init()
    ggml.cpu.ggml_backend_cpu_set_n_threads(backend, n_threads)
    repacked = repacked_types(_built_for())
    names = [(kind, repack) for kind in types for repack in (False, True) if not repack or kind in repacked]
    bandwidth = 0.0
    rates: dict[str, KernelRate] = {}
    try:
        for _ in range(_PASSES):
            # Four bytes a weight and hardly any arithmetic: what limits it is the memory.
            bandwidth = max(bandwidth, _rate(ggml, backend, "F32", 1, _MATRICES, repack=False)[0])
            for kind, repack in names:
                name = kind + REPACKED if repack else kind
                stream, _ = _rate(ggml, backend, kind, 1, _MATRICES, repack=repack)
                _, flops = _rate(ggml, backend, kind, _BATCH, _BATCH_MATRICES, repack=repack)
                before = rates.get(name, KernelRate(0.0, 0.0))
                rates[name] = KernelRate(max(stream, before.stream), max(flops, before.flops))
    finally:
        ggml.base.ggml_backend_free(backend)
    return bandwidth, rates


def _built_for() -> tuple[str, ...]:
    """The instruction sets that decide about repacking, in /proc/cpuinfo's spelling, as this build knows them.

    To ask for a rearrangement that a build does not have ends the process.
    """
    names = {"AVX2": "avx2", "AVX512": "avx512f", "DOTPROD": "asimddp", "MATMUL_INT8": "i8mm"}
    said = library.system_info()
    return tuple(ours for theirs, ours in names.items() if f" {theirs} = 1" in f" {said}")


def _rate(ggml: _Ggml, backend: int, kind: str, n_tokens: int, n_matrices: int, *, repack: bool) -> tuple[float, float]:
    """(bytes of weights per second, operations per second) of some products in a row; the best of some repeats."""
    shape = TENSOR_TYPES[_NUMBERS[kind]]
    row_bytes = _COLUMNS // shape.block_size * shape.block_bytes
    rows = _MATRIX_BYTES // row_bytes // 64 * 64
    with _products(ggml, kind, rows, n_tokens, n_matrices, repack=repack) as graph:

        def run() -> None:
            ggml.base.ggml_backend_graph_compute(backend, graph)

        seconds = _best(run)
    n = n_matrices * rows
    return n * row_bytes / seconds, 2.0 * n * _COLUMNS * n_tokens / seconds


def _best(run: Callable[[], None]) -> float:
    """Seconds of the fastest of some runs, the first (cold) one aside; slow products are run less often."""
    run()
    best, spent = float("inf"), 0.0
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        run()
        took = time.perf_counter() - begun
        best, spent = min(best, took), spent + took
        if spent > 0.15:
            break
    return best


@contextmanager
def _products(ggml: _Ggml, kind: str, rows: int, n_tokens: int, n_matrices: int, *, repack: bool) -> Iterator[int]:
    """A graph of products: matrices of weights (rows x columns), each times the same ``n_tokens`` vectors."""
    base = ggml.base
    plain = base.ggml_backend_cpu_buffer_type()
    overhead = (2 * n_matrices + 8) * base.ggml_tensor_overhead() + base.ggml_graph_overhead()
    weights_context = base.ggml_init(_InitParams(overhead, None, True))
    context = base.ggml_init(_InitParams(overhead, None, True))
    buffers = []
    try:
        weights = [base.ggml_new_tensor_2d(weights_context, _NUMBERS[kind], _COLUMNS, rows) for _ in range(n_matrices)]
        favourite = ggml.repacking_buffer() if repack else None
        buffers.append(base.ggml_backend_alloc_ctx_tensors_from_buft(weights_context, favourite or plain))
        vectors = base.ggml_new_tensor_2d(context, _NUMBERS["F32"], _COLUMNS, n_tokens)
        graph = base.ggml_new_graph(context)
        for matrix in weights:
            base.ggml_build_forward_expand(graph, base.ggml_mul_mat(context, matrix, vectors))
        buffers.append(base.ggml_backend_alloc_ctx_tensors_from_buft(context, plain))
        for matrix in weights:
            _fill(ggml, matrix, kind, rows)
        ones = np.ones(_COLUMNS * n_tokens, dtype=np.float32)
        base.ggml_backend_tensor_set(vectors, ones.ctypes.data, 0, ones.nbytes)
        yield graph
    finally:
        for buffer in buffers:
            base.ggml_backend_buffer_free(buffer)
        base.ggml_free(context)
        base.ggml_free(weights_context)


def _fill(ggml: _Ggml, matrix: int, kind: str, rows: int) -> None:
    """Weights that vary (lookup tables are really used) and are finite in every format.

    With these bits cleared no 16- or 32-bit exponent is all ones.
    """
    shape = TENSOR_TYPES[_NUMBERS[kind]]
    n_bytes = rows * (_COLUMNS // shape.block_size) * shape.block_bytes
    data = np.resize(np.random.default_rng(1).integers(0, 256, 1 << 18, dtype=np.uint8) & 0xBB, n_bytes)
    ggml.base.ggml_backend_tensor_set(matrix, data.ctypes.data, 0, n_bytes)
