"""llama.cpp's own lines, as 0.3.36 prints them; those of GPUs are written after its sources."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from lsp_server.engine.loading import totals
from lsp_server.engine.native import library, memory_log
from lsp_server.engine.native.memory_log import Allocated, parse

MIB = 1024 * 1024

SMALL_MODEL = """\
load_tensors:          CPU model buffer size =   462.96 MiB
load_tensors:   CPU_REPACK model buffer size =    28.05 MiB
llama_context: constructing llama_context
llama_context:        CPU  output buffer size =     0.58 MiB
llama_kv_cache:        CPU KV buffer size =    96.00 MiB
llama_kv_cache: size =   96.00 MiB (  8192 cells,  24 layers,  1/1 seqs), K (f16):   48.00 MiB, V (f16):   48.00 MiB
sched_reserve: reserving ...
sched_reserve:        CPU compute buffer size =    37.53 MiB
sched_reserve: graph nodes = 846, splits = 1
"""

DEEPSEEK4 = """\
load_tensors:   CPU_Mapped model buffer size = 47564.26 MiB
load_tensors:   CPU_Mapped model buffer size = 10563.03 MiB
llama_kv_cache_dsv4: creating DSV4 CSA compressed KV cache, size = 2048 cells
llama_kv_cache_iswa: creating     SWA KV cache, size = 768 cells
llama_kv_cache: size =    0.00 MiB (  8192 cells,   0 layers,  1/1 seqs), K (f16):    0.00 MiB, V (f16):    0.00 MiB
llama_kv_cache:        CPU KV buffer size =    32.25 MiB
llama_kv_cache: size =   32.25 MiB (   768 cells,  43 layers,  1/1 seqs), K (f16):   32.25 MiB, V (f16):    0.00 MiB
llama_dsv4_comp_state:        CPU DSV4 csa state buffer size =     1.31 MiB
llama_dsv4_comp_state: csa ratio = 4, state = 8 x 1024, streams = 1, rs_seq = 0, layers = 21, size =    1.31 MiB
llama_dsv4_comp_state:        CPU DSV4 hca state buffer size =    10.00 MiB
llama_dsv4_comp_state: hca ratio = 128, state = 128 x 512, streams = 1, rs_seq = 0, layers = 20, size =   10.00 MiB
sched_reserve:        CPU compute buffer size =   413.02 MiB
"""

TWO_GPUS = """\
load_tensors: offloading output layer to GPU
load_tensors:        CUDA0 model buffer size =  9000.50 MiB
load_tensors:        CUDA1 model buffer size =  8000.25 MiB
load_tensors:   CPU_Mapped model buffer size =   292.36 MiB
llama_context:  CUDA_Host  output buffer size =     0.58 MiB
llama_kv_cache:      CUDA0 KV buffer size =   640.00 MiB
llama_kv_cache:      CUDA1 KV buffer size =   384.00 MiB
llama_kv_cache: size = 1024.00 MiB (  8192 cells,  32 layers,  1/1 seqs), K (f16):  512.00 MiB, V (f16):  512.00 MiB
sched_reserve:      CUDA0 compute buffer size =   304.75 MiB
sched_reserve:      CUDA1 compute buffer size =   560.00 MiB
sched_reserve:  CUDA_Host compute buffer size =    24.01 MiB
"""

HYBRID = """\
llama_kv_cache:        CPU KV buffer size =    12.00 MiB
llama_kv_cache: size =   12.00 MiB (  2048 cells,   6 layers,  1/1 seqs), K (f16):    6.00 MiB, V (f16):    6.00 MiB
llama_memory_recurrent:        CPU RS buffer size =    18.45 MiB
llama_memory_recurrent: size =   18.45 MiB (     1 cells,  24 layers,  1 seqs  0 rs_seq), R (f32):    0.45 MiB, \
S (f32):   18.00 MiB, P (f32):    0.00 MiB
"""

SIMULATED = """\
load_tensors:          CPU model buffer size =     0.00 MiB
llama_kv_cache:        CPU KV buffer size =     0.00 MiB
llama_kv_cache: size =   96.00 MiB (  8192 cells,  24 layers,  1/1 seqs), K (f16):   48.00 MiB, V (f16):   48.00 MiB
sched_reserve:        CPU compute buffer size =    37.53 MiB
"""


def mib(sizes: float | dict[str, int]) -> float | dict[str, float]:
    """Bytes in MiB, to the two places that the log has."""
    if isinstance(sizes, dict):
        return {name: round(size / MIB, 2) for name, size in sizes.items()}
    return round(sizes / MIB, 2)


def test_a_model_on_the_cpu() -> None:
    found = parse(SMALL_MODEL.splitlines())
    assert mib(found.weights) == {"CPU": 462.96, "CPU_REPACK": 28.05}
    assert mib(found.cache) == 96.0
    assert mib(found.cache_buffers) == {"CPU": 96.0}
    assert mib(found.compute) == {"CPU": 37.53}
    assert mib(found.output) == 0.58
    assert mib(totals(asdict(found))["weights"]) == 491.01
    assert mib(totals(asdict(found))["compute"]) == 38.11


def test_deepseek_v4_has_caches_and_states_that_add_up() -> None:
    found = parse(DEEPSEEK4.splitlines())
    assert mib(found.weights) == {"CPU_Mapped": 58127.29}
    assert mib(found.cache) == 43.56
    assert mib(found.cache_buffers) == {"CPU": 43.56}
    assert mib(found.compute) == {"CPU": 413.02}


def test_several_devices() -> None:
    found = parse(TWO_GPUS.splitlines())
    assert mib(found.weights) == {"CUDA0": 9000.5, "CUDA1": 8000.25, "CPU_Mapped": 292.36}
    assert mib(found.cache) == 1024.0
    assert mib(found.cache_buffers) == {"CUDA0": 640.0, "CUDA1": 384.0}
    assert mib(found.compute) == {"CUDA0": 304.75, "CUDA1": 560.0, "CUDA_Host": 24.01}
    assert mib(found.output) == 0.58


def test_recurrent_states_count_as_cache() -> None:
    found = parse(HYBRID.splitlines())
    assert mib(found.cache) == 30.45
    assert mib(found.cache_buffers) == {"CPU": 30.45}


def test_a_simulation_tells_totals_but_no_buffers() -> None:
    found = parse(SIMULATED.splitlines())
    assert (found.weights, found.cache_buffers) == ({"CPU": 0}, {"CPU": 0})
    assert mib(found.cache) == 96.0
    assert mib(totals(asdict(found))["compute"]) == 37.53


def test_two_contexts_add_up() -> None:
    lines = [line for line in SMALL_MODEL.splitlines() if not line.startswith("load_tensors")]
    once, twice = parse(lines), parse(lines * 2)
    assert (twice.cache, twice.output) == (2 * once.cache, 2 * once.output)
    assert mib(twice.compute) == {"CPU": 75.06}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "llama_context: n_ctx         = 8192",
        "load: token to piece cache size = 0.9310 MB",
        "print_info: file size   = 462.96 MiB (6.29 BPW)",
        "llama_kv_cache_iswa: creating non-SWA KV cache, size = 8192 cells",
        "llama_kv_cache: stream[0], n =    64, used =    64, head =    64, size =  8192, n_swa =     0",
        "ggml_aligned_malloc: insufficient memory (attempted to allocate  44.89 MB)",
        "model has unused tensor blk.0.extra.weight (size = 4096 bytes) -- ignoring",
    ],
)
def test_other_lines_say_nothing(line: str) -> None:
    assert parse([line]) == Allocated()


def test_lines_are_recorded_whole_and_only_meanwhile() -> None:
    library._on_log(2, b"before\n", None)
    with memory_log.recorded() as lines:
        library._on_log(2, b"sched_reserve:        CPU compute buffer", None)
        library._on_log(5, b" size =    37.53 MiB\n", None)
        library._on_log(2, b"\n", None)
    library._on_log(2, b"after\n", None)

    assert lines == ["sched_reserve:        CPU compute buffer size =    37.53 MiB"]


def test_recordings_may_overlap() -> None:
    with memory_log.recorded() as outer:
        with memory_log.recorded() as inner:
            library._on_log(2, b"both\n", None)
        library._on_log(2, b"outer\n", None)

    assert (outer, inner) == (["both", "outer"], ["both"])
    assert library.listeners == []
