"""Predictions behave as machines do. How true the figures are is for the benchmarks, not for these tests."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from lsp_server.models.hardware import GB, Gpu, Hardware, KernelRate, load_profile
from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.auto import catalog_anatomy
from lsp_server.models.planning.kernel_table import per_core
from lsp_server.models.planning.placement import place
from lsp_server.models.planning.rates import kernel_rates
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.planning.speed import Prediction, predict
from tests.support.planning import (
    BLUEPRINTS,
    CPU,
    GPU_PROFILES,
    PROFILES,
    RATES,
    flagship,
    gpu,
    machine,
    model,
    settings,
    small_qwen,
)


def predicted(
    anatomy: Anatomy, hardware: Hardware, chosen: LoadSettings, *, missing_bytes: int = 0, depth: int = 512
) -> Prediction:
    shares = place(anatomy, hardware, chosen)
    return predict(anatomy, hardware, chosen, shares, missing_bytes=missing_bytes, depth=depth)


def everything(anatomy: Anatomy, **changes: object) -> LoadSettings:
    """All layers on the GPU."""
    return settings(n_gpu_layers=anatomy.n_layers + 1, **changes)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", BLUEPRINTS)
def test_costs_are_the_parts_of_a_tokens_time(name: str, profile: str) -> None:
    anatomy, hardware = catalog_anatomy(name), load_profile(profile)
    for chosen in (settings(), everything(anatomy), settings(n_gpu_layers=10, cpu_moe_layers=(anatomy.n_layers - 1,))):
        speed = predicted(anatomy, hardware, chosen)
        seconds = [cost.seconds for cost in speed.decode_costs]
        assert sum(seconds) == pytest.approx(1 / speed.decode)
        assert seconds == sorted(seconds, reverse=True)
        assert min(seconds) > 0
        assert len({cost.what for cost in speed.decode_costs}) == len(seconds)
        assert 0 < speed.prefill < math.inf


class TestMoreIsNeverSlower:
    @given(
        st.sampled_from([small_qwen(), flagship()]),
        st.integers(0, 44),
        st.floats(10, 500),
        st.floats(1, 10),
        st.sampled_from(["ram", "gpu", "link", "flops", "disk"]),
    )
    def test_of_anything(self, anatomy: Anatomy, n_gpu_layers: int, base: float, factor: float, what: str) -> None:
        def figures(scale: float) -> Prediction:
            def of(name: str) -> float:
                return base * GB * (scale if name == what else 1)

            card = gpu(bandwidth=of("gpu"), link=of("link"), flops=of("flops") * 100)
            cpu = replace(CPU, bandwidth=of("ram"))
            hardware = replace(machine(card), cpu=cpu, disk_read=of("disk"))
            chosen = settings(n_gpu_layers=n_gpu_layers, cpu_moe_layers=tuple(range(20)))
            return predicted(anatomy, hardware, chosen, missing_bytes=GB)

        slow, fast = figures(1), figures(factor)
        if what == "gpu" and base * GB * factor > 1.5e12 > base * GB:
            reject()  # memory that is so much faster is used less well
        assert fast.decode >= slow.decode * (1 - 1e-9)
        assert fast.prefill >= slow.prefill * (1 - 1e-9)

    @pytest.mark.parametrize("profile", [name for name in GPU_PROFILES if not load_profile(name).gpus[0].unified])
    @pytest.mark.parametrize("name", ["qwen2.5-coder-7b", "deepseek-v4-flash"])
    def test_layers_on_a_gpu(self, name: str, profile: str) -> None:
        anatomy, hardware = catalog_anatomy(name), load_profile(profile)
        hardware = replace(hardware, gpus=hardware.gpus[:1])
        speeds = [predicted(anatomy, hardware, settings(n_gpu_layers=n)) for n in range(1, anatomy.n_layers + 2)]
        assert [s.decode for s in speeds] == sorted(s.decode for s in speeds)
        assert [s.prefill for s in speeds] == sorted(s.prefill for s in speeds)

    def test_experts_on_a_gpu(self) -> None:
        hardware = load_profile("gpu-24gb-64gb")
        speeds = [
            predicted(flagship(), hardware, everything(flagship(), cpu_moe_layers=tuple(range(n)), n_ubatch=512))
            for n in (43, 30, 10, 0)
        ]
        assert [s.decode for s in speeds] == sorted(s.decode for s in speeds)
        assert [s.prefill for s in speeds] == sorted(s.prefill for s in speeds)

    def test_threads(self) -> None:
        one, four = (predicted(flagship(), machine(), settings(n_threads=n)) for n in (1, 4))
        assert four.decode > one.decode
        assert four.prefill > one.prefill


class TestDisk:
    def test_what_is_missing_is_read_again(self) -> None:
        whole, some, most = (predicted(flagship(), machine(), settings(), missing_bytes=n * GB) for n in (0, 10, 40))
        assert whole.decode > some.decode > most.decode
        assert whole.prefill > some.prefill > most.prefill
        assert "reading from disk" in [cost.what for cost in some.decode_costs]
        assert "reading from disk" not in [cost.what for cost in whole.decode_costs]

    def test_a_disk_whose_speed_is_unknown_is_no_promise(self) -> None:
        unknown = replace(machine(), disk_read=0.0)
        speed = predicted(flagship(), unknown, settings(), missing_bytes=GB)
        assert (speed.decode, speed.prefill) == (0.0, 0.0)
        assert predicted(flagship(), unknown, settings()).decode > 0

    def test_only_what_a_token_touches_is_read(self) -> None:
        """Six experts of 256 are few of the missing bytes."""
        speed = predicted(flagship(), machine(), settings(), missing_bytes=20 * GB)
        (reading,) = (cost.seconds for cost in speed.decode_costs if cost.what == "reading from disk")
        assert reading < 0.2 * 20 * GB / machine().disk_read


@pytest.mark.parametrize("field", ["bandwidth", "flops"])
def test_a_gpu_whose_figures_are_unknown_promises_nothing_and_breaks_nothing(field: str) -> None:
    card = gpu(bandwidth=0.0) if field == "bandwidth" else gpu(flops=0.0)
    speed = predicted(small_qwen(), machine(card), everything(small_qwen()))
    assert speed.prefill == 0.0
    assert (speed.decode == 0.0) is (field == "bandwidth")


def test_experts_over_an_unknown_link_promise_nothing() -> None:
    chosen = everything(flagship(), cpu_moe_layers=(0,))
    assert predicted(flagship(), machine(gpu(link=0.0)), chosen).prefill == 0.0


def test_pinned_memory_is_copied_from_faster_than_mapped() -> None:
    chosen = everything(flagship(), cpu_moe_layers=tuple(range(43)), n_ubatch=512)
    mapped, pinned = (predicted(flagship(), machine(gpu()), replace(chosen, load_mode=m)) for m in ("mmap", "none"))
    assert pinned.prefill > mapped.prefill
    assert pinned.decode == mapped.decode


def test_a_conversation_slows_down() -> None:
    speeds = [predicted(small_qwen(), machine(), settings(n_ctx=32768), depth=n).decode for n in (0, 512, 30_000)]
    assert speeds[0] > speeds[1] > speeds[2]


def test_a_window_bounds_the_slowing_down() -> None:
    def slowing(anatomy: Anatomy) -> float:
        near, far = (predicted(anatomy, machine(), settings(n_ctx=32768), depth=n).decode for n in (512, 30_000))
        return near / far

    windowed = model(architecture="gemma2", metadata={"attention.sliding_window": 512})
    assert slowing(windowed) < slowing(model(architecture="llama"))


def test_layers_on_two_gpus_wait_for_each_other() -> None:
    hardware = machine(gpu("CUDA0"), gpu("CUDA1"))
    one, both = (
        predicted(small_qwen(), hardware, everything(small_qwen(), tensor_split=split)) for split in ((25, 0), (13, 12))
    )
    assert one.decode > both.decode
    assert "handing over between devices" in [cost.what for cost in both.decode_costs]


def test_tied_embeddings_are_read_as_the_head() -> None:
    tied, own = model(tied=True), model()
    assert tied.weights.n_bytes < own.weights.n_bytes
    small, large = (predicted(anatomy, machine(), settings()) for anatomy in (tied, replace(tied, tied=False)))
    assert small.decode < large.decode


class TestKernelRates:
    MEASURED = replace(CPU, kernels={**RATES, "Q4_K": KernelRate(15 * GB, 400 * GB)})

    def test_measured_ones_are_taken_as_they_are(self) -> None:
        rates = kernel_rates(self.MEASURED, 4, extra=False)
        measured = {kind: rate for kind, rate in self.MEASURED.kernels.items() if "repacked" not in kind}
        assert {kind: rates[kind] for kind in measured} == measured

    def test_a_rearranged_type_is_measured_so(self) -> None:
        rates = kernel_rates(self.MEASURED, 4, extra=True)
        assert rates["Q4_K"] == RATES["Q4_K repacked"]
        assert rates["Q6_K"] == RATES["Q6_K"]
        assert not any("repacked" in kind for kind in rates)

    def test_unmeasured_ones_grow_with_the_cores_until_the_memory_ends_it(self) -> None:
        one, two, many = (kernel_rates(CPU, n, extra=False)["Q4_K"] for n in (1, 2, 8))
        assert one == per_core(CPU.features)["Q4_K"]
        assert (two.stream, two.flops) == (2 * one.stream, 2 * one.flops)
        assert many.flops == 8 * one.flops
        assert 2 * one.stream < many.stream < CPU.bandwidth

    def test_threads_beyond_the_cores_add_nothing(self) -> None:
        assert kernel_rates(CPU, 64, extra=False) == kernel_rates(CPU, CPU.physical_cores, extra=False)

    def test_a_type_that_was_not_measured_is_estimated(self) -> None:
        some = replace(CPU, kernels={"F16": KernelRate(30 * GB, 200 * GB)})
        rates = kernel_rates(some, 4, extra=False)
        assert rates["F16"] == some.kernels["F16"]
        assert rates["Q5_0"] == kernel_rates(CPU, 4, extra=False)["Q5_0"]

    def test_a_form_that_this_build_does_not_have_is_not_estimated(self) -> None:
        plain = replace(CPU, kernels={"Q4_K": RATES["Q4_K"]})
        assert kernel_rates(plain, 4, extra=True)["Q4_K"] == RATES["Q4_K"]


@given(st.integers(1, 1 << 20), st.integers(1, 4096), st.sampled_from([small_qwen(), flagship()]), st.booleans())
def test_every_context_and_step_has_a_speed(n_ctx: int, n_ubatch: int, anatomy: Anatomy, on_gpu: bool) -> None:
    chosen = settings(n_ctx=n_ctx, n_ubatch=n_ubatch, n_gpu_layers=99 if on_gpu else 0)
    speed = predicted(anatomy, machine(gpu()), chosen)
    assert 0 < speed.decode < 1e6
    assert 0 < speed.prefill < 1e9


def _unified(bandwidth: float) -> Gpu:
    return gpu("MTL0", unified=True, bandwidth=bandwidth, link=0.0)


def test_unified_memory_needs_no_link() -> None:
    chosen = everything(flagship(), cpu_moe_layers=tuple(range(10)))
    assert predicted(flagship(), machine(_unified(400 * GB)), chosen).prefill > 0
