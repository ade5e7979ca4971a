"""The processor's own kernels, really measured, in the process that may die."""

from __future__ import annotations

import math

import psutil
import pytest

from lsp_server.engine.measurement import measured
from lsp_server.engine.native import kernels
from lsp_server.models.hardware import KernelRate
from lsp_server.models.planning.placement import repacked_types


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, dict[str, KernelRate]]:
    # What other programs disturbed is dropped, and on a busy machine that may be all.
    for _ in range(10):
        file = tmp_path_factory.mktemp("cache") / "hardware.json"
        found = measured(1, ("Q4_K", "F16"), "build", memory_file=file)
        if found[1]:
            return found
    load = psutil.getloadavg()[0]
    if load > (psutil.cpu_count() or 1) + 1:
        pytest.skip(f"Other programs keep this machine busy (load {load:.1f}).")
    return found


def test_every_type_has_figures(figures: tuple[float, dict[str, KernelRate]]) -> None:
    bandwidth, rates = figures
    assert {"Q4_K", "F16"} <= rates.keys()
    for figure in (bandwidth, *(figure for rate in rates.values() for figure in (rate.stream, rate.flops))):
        assert math.isfinite(figure)
        assert figure > 0


def test_rearranged_weights_have_figures_of_their_own_where_the_build_rearranges_them(
    figures: tuple[float, dict[str, KernelRate]],
) -> None:
    _, rates = figures
    rearranges = "Q4_K" in repacked_types(kernels._built_for())
    assert ("Q4_K repacked" in rates) is rearranges
    assert "F16 repacked" not in rates
