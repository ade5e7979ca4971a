"""What lies where: as llama.cpp divides layers among devices, and without a byte too few."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.models.hardware import Gpu
from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.compute_buffers import compute_bytes, copied_experts_bytes, output_bytes
from lsp_server.models.planning.kv_cache import kv_bytes
from lsp_server.models.planning.placement import CPU, device_of_layer, place, repacked_types
from lsp_server.models.planning.settings import LoadSettings
from tests.support import planning
from tests.support.planning import flagship, gpu, machine, model, settings, small_qwen

ONE = (gpu("A"),)
TWO = (gpu("A", 24), gpu("B", 8))


class TestDeviceOfLayer:
    """Four layers and the output."""

    @pytest.mark.parametrize(
        ("n_gpu_layers", "devices"),
        [(0, "c c c c c"), (1, "c c c c A"), (2, "c c c A A"), (5, "A A A A A"), (99, "A A A A A")],
    )
    def test_counted_from_the_last_and_the_output_is_one_more(self, n_gpu_layers: int, devices: str) -> None:
        assert self.devices(settings(n_gpu_layers=n_gpu_layers), ONE) == devices

    @pytest.mark.parametrize(
        ("split", "n_gpu_layers", "devices"),
        [
            ((3, 2), 5, "A A A B B"),
            ((1, 4), 5, "A B B B B"),
            ((0, 5), 5, "B B B B B"),
            ((5, 0), 5, "A A A A A"),
            ((1, 2), 3, "c c A B B"),
            ((2, 3), 3, "c c A A B"),
            ((1, 1, 7), 4, "c A A B B"),
            ((0, 0), 2, "c c c A A"),
        ],
    )
    def test_divided_in_proportion(self, split: tuple[int, ...], n_gpu_layers: int, devices: str) -> None:
        assert self.devices(settings(n_gpu_layers=n_gpu_layers, tensor_split=split), TWO) == devices

    def test_undivided_by_the_memory_that_is_free(self) -> None:
        assert self.devices(settings(n_gpu_layers=4), TWO) == "c A A A B"

    def test_without_a_gpu_all_are_on_the_cpu(self) -> None:
        assert self.devices(settings(n_gpu_layers=5), ()) == "c c c c c"

    def devices(self, chosen: LoadSettings, gpus: tuple[Gpu, ...]) -> str:
        return " ".join(name.replace(CPU, "c") for name in device_of_layer(4, chosen, gpus))


class TestPlace:
    def test_the_cpu_alone(self) -> None:
        anatomy, chosen = small_qwen(), settings()
        shares = place(anatomy, machine(), chosen)
        assert set(shares) == {CPU}
        share = shares[CPU]
        assert share.embedding == anatomy.embedding
        assert share.dense.n_bytes == anatomy.weights.n_bytes - anatomy.embedding.n_bytes
        assert share.kv_bytes == sum(kv_bytes(anatomy, chosen))
        assert share.compute_bytes == compute_bytes(anatomy, chosen) + output_bytes(anatomy, chosen)
        assert (share.n_layers, share.n_expert_layers) == (24, 0)

    def test_all_on_a_gpu_but_the_embeddings(self) -> None:
        anatomy = small_qwen()
        shares = place(anatomy, machine(gpu()), settings(n_gpu_layers=25))
        assert shares["CUDA0"].dense.n_bytes == anatomy.weights.n_bytes - anatomy.embedding.n_bytes
        assert shares[CPU].embedding == anatomy.embedding
        assert shares[CPU].dense.n_bytes == shares[CPU].kv_bytes == shares[CPU].n_layers == 0
        assert 0 < shares[CPU].compute_bytes < shares["CUDA0"].compute_bytes

    def test_the_caches_layers_go_with_the_layers(self) -> None:
        chosen = settings(n_gpu_layers=11)
        shares = place(small_qwen(), machine(gpu()), chosen)
        sizes = kv_bytes(small_qwen(), chosen)
        assert shares[CPU].kv_bytes == sum(sizes[:14])
        assert shares["CUDA0"].kv_bytes == sum(sizes[14:])
        assert (shares[CPU].n_layers, shares["CUDA0"].n_layers) == (14, 10)

    def test_a_gpu_may_have_the_output_alone(self) -> None:
        anatomy = small_qwen()
        shares = place(anatomy, machine(gpu()), settings(n_gpu_layers=1))
        assert shares["CUDA0"].weights_bytes == anatomy.output.n_bytes
        assert shares["CUDA0"].compute_bytes > 0
        assert shares["CUDA0"].kv_bytes == 0

    def test_a_gpu_that_nothing_is_on_holds_nothing(self) -> None:
        shares = place(small_qwen(), machine(*TWO), settings(n_gpu_layers=25, tensor_split=(25, 0)))
        assert shares["B"].resident_bytes == 0

    def test_tied_embeddings_are_kept_twice_beside_a_gpu(self) -> None:
        anatomy = model(tied=True)
        with_gpu = place(anatomy, machine(gpu()), settings(n_gpu_layers=1))
        assert with_gpu["CUDA0"].dense == anatomy.head
        assert with_gpu[CPU].embedding == anatomy.embedding
        without = place(anatomy, machine(), settings())
        assert without[CPU].weights_bytes - without[CPU].repacked_bytes == anatomy.weights.n_bytes

    def test_experts_of_named_layers_stay_in_ram(self) -> None:
        anatomy = flagship()
        shares = place(anatomy, machine(gpu()), settings(n_gpu_layers=44, cpu_moe_layers=(3, 40)))
        assert shares[CPU].experts.n_bytes == sum(anatomy.layers[il].experts.n_bytes for il in (3, 40))
        assert shares[CPU].dense.n_bytes == 0
        assert (shares[CPU].n_layers, shares[CPU].n_expert_layers) == (0, 2)
        assert (shares["CUDA0"].n_layers, shares["CUDA0"].n_expert_layers) == (43, 41)

    def test_room_for_experts_that_are_copied_over(self) -> None:
        large = settings(n_gpu_layers=44, n_ubatch=512)
        sizes = [
            place(flagship(), machine(gpu()), replace(large, cpu_moe_layers=kept))["CUDA0"].compute_bytes
            for kept in ((), (0,))
        ]
        assert sizes[1] - sizes[0] == copied_experts_bytes(flagship(), large)

    def test_contexts_have_a_cache_and_buffers_each_over_the_same_weights(self) -> None:
        one, two = (place(small_qwen(), machine(), settings(n_contexts=n))[CPU] for n in (1, 2))
        assert two.kv_bytes == 2 * one.kv_bytes
        assert two.compute_bytes == 2 * one.compute_bytes
        assert two.weights_bytes == one.weights_bytes


class TestRepacking:
    def test_a_mapped_file_stays_beside_the_copies(self) -> None:
        share = place(model(), machine(), settings())[CPU]
        # Of the types here a processor with AVX2 rearranges Q4_K.
        assert share.repacked_bytes == share.dense.bytes_by_type["Q4_K"] > 0
        assert share.resident_bytes == share.weights_bytes - share.repacked_bytes + share.kv_bytes + share.compute_bytes
        assert share.weights_bytes == model().weights.n_bytes + share.repacked_bytes

    def test_experts_are_rearranged_too(self) -> None:
        share = place(model(n_experts=4), machine(), settings())[CPU]
        assert share.repacked_bytes == share.dense.bytes_by_type["Q4_K"] + share.experts.bytes_by_type["Q4_K"]

    @pytest.mark.parametrize("change", [{"use_extra_bufts": False}, {"load_mode": "none"}, {"load_mode": "mlock"}])
    def test_otherwise_there_is_one_of_each(self, change: dict[str, object]) -> None:
        assert place(model(), machine(), settings(**change))[CPU].repacked_bytes == 0

    def test_nothing_on_a_gpu_is(self) -> None:
        shares = place(model(), machine(gpu()), settings(n_gpu_layers=99))
        assert shares["CUDA0"].repacked_bytes == shares[CPU].repacked_bytes == 0

    @pytest.mark.parametrize(
        ("features", "more", "less"),
        [
            (("avx2",), {"Q4_0", "Q4_K"}, {"Q2_K", "Q6_K"}),
            (("avx2", "avx512f"), {"Q4_K", "Q2_K"}, {"Q6_K"}),
            (("asimd", "asimddp"), {"Q4_0", "Q4_K"}, {"Q6_K"}),
            (("asimddp", "i8mm"), {"Q4_K", "Q6_K", "Q8_0"}, {"Q2_K"}),
            (("sse4_2",), set(), {"Q4_0", "Q4_K"}),
        ],
    )
    def test_types_by_instruction_set(self, features: tuple[str, ...], more: set[str], less: set[str]) -> None:
        types = repacked_types(features)
        assert more <= types
        assert not less & types


MODELS = st.sampled_from([flagship(), small_qwen(), model(tied=True), model(n_experts=8, tied=True)])


@st.composite
def loads(draw: st.DrawFn) -> tuple[Anatomy, tuple[Gpu, ...], LoadSettings]:
    anatomy = draw(MODELS)
    gpus = tuple(gpu(f"CUDA{i}", draw(st.integers(1, 80))) for i in range(draw(st.integers(0, 3))))
    split = tuple(draw(st.lists(st.integers(0, 9), min_size=len(gpus), max_size=len(gpus)))) if len(gpus) > 1 else ()
    kept = tuple(sorted(draw(st.sets(st.integers(0, anatomy.n_layers - 1)))))
    chosen = settings(
        n_gpu_layers=draw(st.integers(0, anatomy.n_layers + 2)),
        tensor_split=split,
        cpu_moe_layers=kept,
        n_seq_max=draw(st.integers(1, 3)),
        use_extra_bufts=draw(st.booleans()),
        load_mode=draw(st.sampled_from(["mmap", "none"])),
    )
    return anatomy, gpus, chosen


@given(loads())
def test_nothing_is_lost_and_nothing_is_twice(load: tuple[Anatomy, tuple[Gpu, ...], LoadSettings]) -> None:
    anatomy, gpus, chosen = load
    shares = place(anatomy, planning.machine(*gpus), chosen)
    twice = anatomy.embedding.n_bytes if anatomy.tied and gpus and chosen.n_gpu_layers else 0
    assert sum(s.weights_bytes - s.repacked_bytes for s in shares.values()) == anatomy.weights.n_bytes + twice
    assert sum(s.kv_bytes for s in shares.values()) == sum(kv_bytes(anatomy, chosen))
    assert sum(s.n_layers for s in shares.values()) == anatomy.n_layers
    assert all(s.resident_bytes >= 0 for s in shares.values())
    on_gpus = min(chosen.n_gpu_layers, anatomy.n_layers + 1) if gpus else 0
    assert shares[CPU].n_layers == min(anatomy.n_layers, anatomy.n_layers + 1 - on_gpus)
