"""How fast one device is: seconds to read weights and to multiply with them, by bytes and operations (a roofline).

Rates of the processor are measured where the plan is for this machine (``engine.native.kernels``). Constants for other
machines come from the calibration that docs/hardware.md describes; the measurements that predictions are judged by are
not among it.
"""

from __future__ import annotations

from collections.abc import Mapping

from lsp_server.models.hardware import Cpu, Gpu, KernelRate
from lsp_server.models.planning.anatomy import Weights
from lsp_server.models.planning.kernel_table import REPACKED, per_core
from lsp_server.models.planning.placement import repacked_types
from lsp_server.models.planning.settings import LoadSettings

# Share of the data sheet's memory bandwidth that reading weights reaches.
_RAM_SHARE = 0.70
_GPU_SHARE = 0.72
_HBM_SHARE = 0.55  # above _HBM: kernels for single tokens do not keep so much memory busy
_HBM = 1.9e12
_UNIFIED_SHARE = 0.65
# Share of a GPU's half-precision operations that products with quantized weights reach in a batch.
_GPU_FLOPS_SHARE = 0.60
_HBM_FLOPS_SHARE = 0.15
# Of the experts each one that a batch uses costs as much as so many more of its tokens would: their products are small.
_EXPERT_ROWS = 110
# Seconds an operation of the graph: a launch on a GPU; a barrier of all threads on a CPU.
_GPU_NODE_S = 1.2e-6
_HBM_NODE_S = 1.7e-6
_CPU_NODE_S = 1.0e-6
_CPU_NODE_THREAD_S = 0.12e-6


def kernel_rates(cpu: Cpu, n_threads: int, *, extra: bool) -> Mapping[str, KernelRate]:
    """The processor's rates by tensor type: measured ones where there are any, else estimated."""
    # A type that was measured has a rearranged form only if that was measured too.
    guessed = {k: r for k, r in _estimated(cpu, n_threads).items() if k.removesuffix(REPACKED) not in cpu.kernels}
    rates = {**guessed, **cpu.kernels}
    wanted = repacked_types(cpu.features) if extra else frozenset[str]()
    plain = {kind: rate for kind, rate in rates.items() if not kind.endswith(REPACKED)}
    return plain | {kind: rates[kind + REPACKED] for kind in wanted & plain.keys() if kind + REPACKED in rates}


def _estimated(cpu: Cpu, n_threads: int) -> Mapping[str, KernelRate]:
    cores, limit = min(n_threads, cpu.physical_cores), _reached(cpu)
    table = per_core(cpu.features)
    return {kind: KernelRate(min(rate.stream * cores, limit), rate.flops * cores) for kind, rate in table.items()}


def _reached(cpu: Cpu) -> float:
    """Bytes per second that reading weights reaches, at most."""
    return cpu.bandwidth if cpu.measured else cpu.bandwidth * _RAM_SHARE


def touched_share(used: float, n_tokens: int) -> float:
    """The share of experts that some tokens use together, of which each uses that share."""
    return 1.0 - (1.0 - used) ** n_tokens


class Processor:
    """Seconds for products on the CPU.

    Attributes:
        bandwidth: bytes per second that reading reaches.
        node_s: seconds an operation of the graph costs besides.
    """

    def __init__(self, cpu: Cpu, settings: LoadSettings) -> None:
        self._rates = kernel_rates(cpu, settings.n_threads, extra=settings.use_extra_bufts)
        self._slowest = min(self._rates.values(), key=lambda rate: rate.stream)
        self.bandwidth = _reached(cpu)
        self.node_s = _CPU_NODE_S + _CPU_NODE_THREAD_S * settings.n_threads

    def _rate(self, kind: str) -> KernelRate:
        # A type without a figure is taken for a slow one; single precision is as fast as the memory.
        return self._rates.get(kind) or (
            KernelRate(self.bandwidth, self._slowest.flops) if kind in ("F32", "BF16") else self._slowest
        )

    def reading(self, weights: Weights, share: float = 1.0) -> float:
        """To multiply one vector with a share of some weights."""
        return sum(size * share / self._rate(kind).stream for kind, size in weights.bytes_by_type.items())

    def batch(self, weights: Weights, n_tokens: int, used: float = 1.0) -> float:
        """To multiply a batch; of each weight only ``used`` tokens' share takes part (experts)."""
        touched = touched_share(used, n_tokens)
        seconds = 0.0
        for kind, count in weights.n_params_by_type.items():
            rate = self._rate(kind)
            reading = weights.bytes_by_type[kind] * touched / rate.stream
            seconds += max(reading, 2.0 * count * used * n_tokens / rate.flops)
        return seconds

    def attention(self, flops: float, cache_bytes: float) -> float:
        """Over the cache: arithmetic in half precision, and its bytes."""
        half = self._rates.get("F16") or self._slowest
        return max(flops / half.flops, cache_bytes / self.bandwidth)


class Accelerator:
    """Seconds for products on a GPU.

    Attributes:
        bandwidth: bytes per second that reading weights reaches; 0 if unknown.
        flops: operations per second that products in a batch reach; 0 if unknown.
        node_s: seconds an operation of the graph costs besides.
    """

    def __init__(self, gpu: Gpu) -> None:
        share = _UNIFIED_SHARE if gpu.unified else _HBM_SHARE if gpu.bandwidth > _HBM else _GPU_SHARE
        self.bandwidth = gpu.bandwidth * share
        self.flops = gpu.flops * (_HBM_FLOPS_SHARE if gpu.bandwidth > _HBM else _GPU_FLOPS_SHARE)
        self.node_s = _HBM_NODE_S if gpu.bandwidth > _HBM else _GPU_NODE_S

    def reading(self, n_bytes: float) -> float:
        """To read so many bytes; infinite where the bandwidth is unknown."""
        return n_bytes / self.bandwidth if self.bandwidth else float("inf")

    def batch(self, flops: float, n_bytes: float) -> float:
        """To do so many operations with so many bytes of weights; infinite where a rate is unknown."""
        return max(flops / self.flops if self.flops else float("inf"), self.reading(n_bytes))

    def experts(self, weights: Weights, n_tokens: int, used: float) -> float:
        """To multiply a batch with experts, of which each token uses that share."""
        touched = touched_share(used, n_tokens)
        return self.batch(
            2.0 * weights.n_params * (n_tokens * used + _EXPERT_ROWS * touched), weights.n_bytes * touched
        )
