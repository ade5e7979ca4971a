"""The sentences say what the settings are, and nothing that is not so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lsp_server.models.hardware import GB, KernelRate, load_profile
from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.auto import catalog_anatomy
from lsp_server.models.planning.plan import Plan, Wishes
from lsp_server.models.planning.planner import make_plan, plan_with
from lsp_server.models.planning.settings import LoadSettings
from tests.support.planning import CPU, RATES, flagship, gpu, machine, model, settings, small_qwen

AS_USUAL = Wishes()


def text(plan: Plan) -> str:
    return "\n".join(plan.reasons)


def of(chosen: LoadSettings, wishes: Wishes = AS_USUAL, anatomy: Anatomy | None = None) -> str:
    return text(plan_with(anatomy or small_qwen(), machine(gpu("CUDA0"), gpu("CUDA1")), wishes, chosen))


class TestPlaces:
    def test_no_gpu(self) -> None:
        reasons = text(make_plan(small_qwen(), machine(), Wishes()))
        assert "There is no GPU: everything runs on the CPU, 485 MB of weights in RAM." in reasons

    def test_a_gpu_that_is_not_used(self) -> None:
        assert "No layer on CUDA0 or CUDA1" in of(settings())

    def test_all_of_it(self) -> None:
        reasons = text(make_plan(small_qwen(), machine(gpu()), Wishes()))
        assert "Everything fits CUDA0." in reasons
        assert "threads" not in reasons, "the processor has nothing to do"

    def test_some_layers(self) -> None:
        assert "10 of 25 layers fit CUDA0; the others run on the CPU." in of(
            settings(n_gpu_layers=10, tensor_split=(10, 0))
        )

    def test_the_output_alone(self) -> None:
        assert "1 of 25 layers fit CUDA1" in of(settings(n_gpu_layers=1, tensor_split=(0, 1)))

    def test_two_gpus(self) -> None:
        reasons = of(settings(n_gpu_layers=25, tensor_split=(13, 12)))
        assert "Everything fits CUDA0 and CUDA1." in reasons
        assert "The layers are split 13 : 12" in reasons


class TestExperts:
    def test_in_ram_they_are_named_with_layers_and_bytes(self) -> None:
        plan = make_plan(flagship(), load_profile("rtx3090-80gb"), Wishes())
        kept = plan.settings.cpu_moe_layers
        n_bytes = sum(flagship().layers[il].experts.n_bytes for il in kept)
        assert f"the cache of all layers are on CUDA0; the experts of {len(kept)} of 43 layers" in plan.reasons[0]
        assert f"{n_bytes / GB:.1f} GB of them" in plan.reasons[0]
        assert "A token uses 6 of 256 experts: it reads" in plan.reasons[1]
        assert (
            f"pinned memory instead of mapped: for a prompt they are copied to the GPU, {plan.settings.n_ubatch}"
            in text(plan)
        )

    def test_beside_layers_that_are_in_ram_as_a_whole(self) -> None:
        chosen = settings(n_gpu_layers=11, tensor_split=(11, 0), cpu_moe_layers=(40, 41, 42))
        reasons = of(chosen, anatomy=flagship())
        assert "the cache of the last 10 of 43 layers are on CUDA0" in reasons
        assert "the experts of 36 of 43 layers stay in RAM" in reasons
        assert "pinned" not in reasons

    def test_on_the_cpu_alone(self) -> None:
        reasons = text(make_plan(flagship(), load_profile("cpu-128gb"), Wishes()))
        assert "A token uses 6 of 256 experts" in reasons

    def test_a_dense_model_has_none(self) -> None:
        assert "expert" not in text(make_plan(small_qwen(), machine(), Wishes()))

    def test_from_disk(self) -> None:
        reasons = text(make_plan(flagship(), load_profile("laptop-16gb"), Wishes()))
        assert reasons.startswith("The weights (61.5 GB) exceed the memory that may be used")


class TestCache:
    def test_as_wished_it_is_not_mentioned(self) -> None:
        reasons = of(settings(n_ctx=8192), Wishes(n_ctx=8192))
        assert "context" not in reasons
        assert "cache" not in reasons

    def test_a_shorter_context(self) -> None:
        assert "The context is 2,048 tokens instead of 8,192" in of(settings(n_ctx=2048), Wishes(n_ctx=8192))

    def test_longer_than_the_model_was_trained_for(self) -> None:
        reasons = of(settings(n_ctx=32768), Wishes(n_ctx=131072))
        assert "trained for 32,768 tokens of context, not for 131,072" in reasons
        assert "no room" not in reasons.replace("there is no room, or you asked so", "")

    def test_both(self) -> None:
        reasons = of(settings(n_ctx=16384), Wishes(n_ctx=131072))
        assert "trained for 32,768" in reasons
        assert "16,384 tokens instead of 32,768" in reasons

    def test_in_eight_bits(self) -> None:
        assert "The cache is kept in Q8_0, half the size of F16" in of(settings(type_k="Q8_0", type_v="Q8_0"))

    def test_two_contexts(self) -> None:
        assert "2 contexts (completion, assistant) share the weights" in of(settings(n_contexts=2))

    def test_sequences(self) -> None:
        assert "4 sequences a context: a place that is gone back to is still there" in of(settings(n_seq_max=4))
        assert "sequences" not in of(settings())

    def test_windows(self) -> None:
        window = {"attention.sliding_window": 1024}
        known, unknown = (model(architecture=name, metadata=window) for name in ("gemma2", "llama"))
        assert "Layers that look back 1,024 tokens keep only those" in of(settings(), anatomy=known)
        assert "look back" not in of(settings(), anatomy=unknown), "nothing is known of which"
        assert "Layers that look back 128 tokens" in of(settings(), anatomy=flagship())

    def test_layers_whose_state_is_not_counted(self) -> None:
        row = '{ name = "blk.{layer}.ssm_in.weight", layers = "1", shape = [256, 256], type = "Q4_K" },'
        assert "the cache is an estimate" in of(settings(), anatomy=model(rows=row))
        assert "estimate" not in of(settings())


class TestProcessor:
    def test_threads(self) -> None:
        assert "8 threads: one for each physical core" in text(make_plan(small_qwen(), machine(), Wishes()))
        assert "3 threads: as you asked." in text(make_plan(small_qwen(), machine(), Wishes(n_threads=3)))
        assert "1 thread: as you asked." in text(make_plan(small_qwen(), machine(), Wishes(n_threads=1)))

    def test_numa_nodes(self) -> None:
        hardware = replace(machine(), cpu=replace(CPU, numa_nodes=2))
        assert "spread over 2 NUMA nodes" in text(make_plan(small_qwen(), hardware, Wishes()))

    @pytest.mark.parametrize(
        ("extra", "sentence"),
        [
            (True, "Q4_K weights are rearranged for this CPU: 20 instead of 10 GB/s for a token, 300 instead of 400"),
            (False, "Q4_K weights are left as they are"),
        ],
    )
    def test_rearranged_weights_with_what_was_measured(self, extra: bool, sentence: str) -> None:
        cpu = replace(CPU, kernels={**RATES, "Q4_K": KernelRate(10 * GB, 400 * GB)})
        hardware = replace(machine(), cpu=cpu)
        chosen = settings(use_extra_bufts=extra)
        reasons = text(plan_with(catalog_anatomy("qwen2.5-coder-1.5b"), hardware, Wishes(), chosen))
        assert sentence in reasons
        assert "Q6_K weights are" not in reasons, "this processor does not rearrange them"
        assert "rearranged" not in text(plan_with(small_qwen(), machine(), Wishes(), chosen)), "nothing was measured"


def test_what_is_assumed() -> None:
    reasons = make_plan(small_qwen(), machine(gpu(bandwidth=0.0)), Wishes()).reasons
    assert "200 GB/s of memory bandwidth" in reasons[-1]
