from __future__ import annotations

import pytest

from lsp_server.models.gguf.tensor_types import TENSOR_TYPES
from lsp_server.models.planning.auto import catalog_anatomy
from lsp_server.models.planning.kernel_table import REPACKED, per_core
from lsp_server.models.planning.placement import repacked_types
from tests.support.planning import BLUEPRINTS


@pytest.mark.parametrize("features", [("avx2",), ("avx2", "avx512f"), ("asimd", "asimddp", "i8mm")])
def test_rates_are_those_of_a_core(features: tuple[str, ...]) -> None:
    rates = per_core(features)
    assert {kind.removesuffix(REPACKED) for kind in rates} <= {kind.name for kind in TENSOR_TYPES.values()}
    # A core reads some GB/s, and calculates some ten to some hundred GFLOP/s.
    assert all(1e9 < rate.stream < 1e11 for rate in rates.values())
    assert all(1e10 < rate.flops < 1e12 for rate in rates.values())


def test_avx_512_calculates_faster() -> None:
    plain, wide = per_core(("avx2",)), per_core(("avx2", "avx512f"))
    assert wide["Q4_K"].flops > plain["Q4_K"].flops
    assert plain.keys() == wide.keys()


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_every_type_of_the_catalogs_models_is_there(name: str) -> None:
    assert catalog_anatomy(name).weights.bytes_by_type.keys() - {"F32", "I32"} <= per_core(()).keys()


def test_what_x86_processors_rearrange_is_there() -> None:
    features = ("avx2", "avx512f")
    assert {kind + REPACKED for kind in repacked_types(features)} <= per_core(features).keys()
