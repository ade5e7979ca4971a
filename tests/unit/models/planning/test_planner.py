"""Plans: what fits is chosen, of that the fastest; what was wished is kept as far as possible."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lsp_server.errors import PlanError
from lsp_server.models.hardware import GB, Hardware, load_profile
from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.auto import catalog_anatomy
from lsp_server.models.planning.budget import fits, gpu_budget, ram_budget
from lsp_server.models.planning.placement import CPU, place
from lsp_server.models.planning.plan import SEQUENCES, Plan, Wishes
from lsp_server.models.planning.planner import (
    make_plan,
    plan_with,
    typical_seconds,
    within_training,
)
from lsp_server.models.planning.speed import Prediction
from tests.support import planning
from tests.support.planning import (
    BLUEPRINTS,
    GPU_PROFILES,
    MIB,
    PROFILES,
    flagship,
    gpu,
    machine,
    model,
    settings,
    small_qwen,
)


def check(plan: Plan, anatomy: Anatomy, hardware: Hardware) -> None:
    """What holds for every plan."""
    chosen, wishes = plan.settings, plan.wishes
    shares = place(anatomy, hardware, chosen)
    for device in plan.devices[:-1]:
        assert device.n_bytes <= device.budget_bytes
    unified = sum(shares[gpu.name].resident_bytes for gpu in hardware.gpus if gpu.unified)
    in_ram = shares[CPU].resident_bytes + unified
    if plan.verdict == "fits":
        assert in_ram <= plan.devices[-1].budget_bytes
    else:
        assert in_ram - shares[CPU].weights_bytes <= plan.devices[-1].budget_bytes
        assert chosen.load_mode == "mmap"
        assert not chosen.use_extra_bufts
    assert plan.devices[-1].budget_bytes < hardware.ram_available or wishes.memory_share == 1
    assert 1 <= chosen.n_seq_max <= wishes.n_sequences
    assert 1 <= chosen.n_ctx <= wishes.n_ctx <= (anatomy.card.context_length or math.inf)
    assert 0 <= chosen.n_gpu_layers <= anatomy.n_layers + 1
    assert not chosen.tensor_split or sum(chosen.tensor_split) == chosen.n_gpu_layers
    assert chosen.type_k == chosen.type_v
    assert 0 < plan.predicted.decode < math.inf
    assert 0 < plan.predicted.prefill < math.inf
    assert plan.reasons


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", BLUEPRINTS)
def test_every_model_on_every_machine(name: str, profile: str) -> None:
    anatomy, hardware = catalog_anatomy(name), load_profile(profile)
    for n_ctx in (2048, 8192, 131072):
        check(make_plan(anatomy, hardware, Wishes(n_ctx=n_ctx)), anatomy, hardware)


@hypothesis_settings(max_examples=60)
@given(
    st.sampled_from([small_qwen(), catalog_anatomy("qwen2.5-coder-7b"), model(n_experts=8, tied=True)]),
    st.lists(st.tuples(st.floats(0.5, 40), st.booleans()), max_size=3),
    st.floats(0.05, 64),
    st.sampled_from([1, 300, 8192, 1 << 20]),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2, 4]),
    st.one_of(st.none(), st.integers(0, 40)),
)
def test_every_machine_has_a_plan_or_is_told_why_not(
    anatomy: Anatomy,
    cards: list[tuple[float, bool]],
    ram_gb: float,
    n_ctx: int,
    n_contexts: int,
    n_sequences: int,
    n_gpu_layers: int | None,
) -> None:
    gpus = [gpu(f"GPU{i}", gib, unified=unified) for i, (gib, unified) in enumerate(cards)]
    hardware = machine(*gpus, ram_gb=ram_gb)
    outcome: Plan | PlanError
    try:
        wishes = Wishes(n_ctx=n_ctx, n_contexts=n_contexts, n_sequences=n_sequences, n_gpu_layers=n_gpu_layers)
        outcome = make_plan(anatomy, hardware, wishes)
    except PlanError as error:
        outcome = error
    if isinstance(outcome, Plan):
        check(outcome, anatomy, hardware)
    else:
        assert "would have to hold" in outcome.message
        assert outcome.hint


class TestGpus:
    @pytest.mark.parametrize("profile", GPU_PROFILES)
    def test_one_that_has_room_takes_everything(self, profile: str) -> None:
        plan = make_plan(catalog_anatomy("qwen2.5-coder-7b"), load_profile(profile), Wishes())
        assert plan.settings.n_gpu_layers == 29
        assert sum(device.weights_bytes for device in plan.devices if device.name != CPU) > 4e9

    def test_one_that_has_some_room_takes_some(self) -> None:
        anatomy = catalog_anatomy("qwen2.5-coder-14b")
        plan = make_plan(anatomy, machine(gpu(gib=8)), Wishes())
        assert 20 < plan.settings.n_gpu_layers < 48
        assert [device.name for device in plan.devices] == ["CUDA0", CPU]
        # There would be no room for one more.
        more = replace(plan.settings, n_gpu_layers=plan.settings.n_gpu_layers + 1)
        assert not fits(place(anatomy, machine(gpu(gib=8)), more), machine(gpu(gib=8)), Wishes())

    def test_one_without_room_is_left_alone(self) -> None:
        plan = make_plan(small_qwen(), machine(gpu(gib=1)), Wishes())
        assert plan.settings.n_gpu_layers == 0
        assert [device.name for device in plan.devices] == [CPU]

    @pytest.mark.parametrize("profile", ["gpu-24gb-64gb", "rtx3090-80gb"])
    def test_the_flagships_experts_stay_in_ram_beside_24_gb(self, profile: str) -> None:
        hardware = load_profile(profile)
        plan = make_plan(flagship(), hardware, Wishes())
        assert plan.verdict == "fits"
        assert plan.settings.n_gpu_layers == 44
        assert 25 < len(plan.settings.cpu_moe_layers) < 43
        # The experts that are on the GPU are those of the first layers that stay there.
        assert plan.settings.load_mode == "none"
        shares = place(flagship(), hardware, plan.settings)
        assert shares[CPU].dense.n_bytes == 0
        # Another layer's experts would be too many.
        room = gpu_budget(hardware.gpus[0]) - shares["CUDA0"].resident_bytes
        assert room < min(layer.experts.n_bytes for layer in flagship().layers)

    def test_two_share_the_layers_as_they_have_room(self) -> None:
        plan = make_plan(catalog_anatomy("qwen2.5-coder-14b"), machine(gpu("A", 13), gpu("B", 5)), Wishes(n_ctx=2048))
        assert sum(plan.settings.tensor_split) == plan.settings.n_gpu_layers
        assert plan.settings.tensor_split[0] > 2 * plan.settings.tensor_split[1] > 0

    def test_more_is_on_two_than_on_one(self) -> None:
        one, two = (make_plan(flagship(), load_profile(p), Wishes()) for p in ("rtx3090-80gb", "2x-rtx3090-nvlink"))
        assert len(two.settings.cpu_moe_layers) < len(one.settings.cpu_moe_layers)
        assert two.predicted.decode > one.predicted.decode

    def test_shared_memory_is_counted_once(self) -> None:
        """A GPU whose memory is the RAM and may have nearly all of it: together they may not have more."""
        hardware = machine(gpu(gib=15, unified=True), ram_gb=16)
        plan = make_plan(catalog_anatomy("qwen2.5-coder-14b"), hardware, Wishes(memory_share=0.7))
        check(plan, catalog_anatomy("qwen2.5-coder-14b"), hardware)
        assert sum(device.n_bytes for device in plan.devices) <= 0.7 * 16 * GB

    @pytest.mark.parametrize("unified", [False, True])
    def test_one_whose_figures_no_table_has_is_used_all_the_same(self, unified: bool) -> None:
        unknown = gpu(bandwidth=0.0, flops=0.0, link=0.0, unified=unified)
        plan = make_plan(small_qwen(), machine(unknown), Wishes())
        assert plan.settings.n_gpu_layers == 25
        assert 0 < plan.predicted.decode < math.inf
        assert any("not known of CUDA0" in reason for reason in plan.reasons)

    def test_nor_does_one_lose_its_partial_use(self) -> None:
        unknown = gpu(gib=8, bandwidth=0.0, flops=0.0, link=0.0)
        plan = make_plan(catalog_anatomy("qwen2.5-coder-14b"), machine(unknown), Wishes())
        assert plan.settings.n_gpu_layers > 20


def test_a_processor_of_which_nothing_could_be_measured() -> None:
    unknown = replace(machine(), cpu=replace(planning.CPU, bandwidth=0.0))
    plan = make_plan(small_qwen(), unknown, Wishes())
    assert 0 < plan.predicted.decode < math.inf
    assert plan_with(small_qwen(), unknown, Wishes(), plan.settings).predicted == plan.predicted


class TestConcessions:
    STEPS = ((32768, "F16"), (32768, "Q8_0"), (16384, "F16"), (16384, "Q8_0"), (8192, "F16"), (2048, "Q8_0"))

    def needed(self, n_ctx: int, kind: str) -> int:
        chosen = settings(n_ctx=n_ctx, type_k=kind, type_v=kind, n_ubatch=512)
        return place(small_qwen(), machine(), chosen)[CPU].resident_bytes

    def plan(self, n_bytes: int, n_ctx: int = 32768) -> Plan:
        hardware = replace(machine(), ram_available=n_bytes)
        plan = make_plan(small_qwen(), hardware, Wishes(n_ctx=n_ctx, memory_share=1.0))
        check(plan, small_qwen(), hardware)
        return plan

    @pytest.mark.parametrize(("n_ctx", "kind"), STEPS)
    def test_eight_bits_come_before_a_shorter_context(self, n_ctx: int, kind: str) -> None:
        chosen = self.plan(self.needed(n_ctx, kind)).settings
        assert (chosen.n_ctx, chosen.type_k, chosen.type_v) == (n_ctx, kind, kind)

    def test_a_context_is_not_shortened_below_2048(self) -> None:
        least = self.needed(2048, "Q8_0")
        assert self.plan(least).settings.n_ctx == 2048
        # With less memory weights are left to the disk, but not cache and buffers.
        assert self.plan(least - 1).verdict == "from disk"
        assert self.plan(least - small_qwen().weights.n_bytes).verdict == "from disk"
        with pytest.raises(PlanError):
            self.plan(least - small_qwen().weights.n_bytes - 1)

    def test_nor_lengthened_to_that(self) -> None:
        assert self.plan(GB, n_ctx=512).settings.n_ctx == 512

    def test_an_odd_context_ends_at_2048_too(self) -> None:
        assert self.plan(self.needed(2048, "Q8_0"), n_ctx=7000).settings.n_ctx == 2048


class TestWishes:
    def test_no_more_context_than_the_model_was_trained_for(self) -> None:
        plan = make_plan(small_qwen(), machine(), Wishes(n_ctx=1 << 30))
        assert plan.settings.n_ctx == plan.wishes.n_ctx == 32768
        assert any("trained for 32,768 tokens" in reason for reason in plan.reasons)

    def test_a_model_that_does_not_say_what_it_was_trained_for(self) -> None:
        silent = model(metadata={"context_length": None})
        assert within_training(silent, Wishes(n_ctx=1 << 30)).n_ctx == 1 << 30
        plan = make_plan(silent, machine(), Wishes(n_ctx=(1 << 31) - 1))
        check(plan, silent, machine())
        assert plan.settings.n_ctx < 1 << 30

    @pytest.mark.parametrize("n_gpu_layers", [0, 1, 7, 25])
    def test_layers_on_the_gpu(self, n_gpu_layers: int) -> None:
        plan = make_plan(small_qwen(), machine(gpu()), Wishes(n_gpu_layers=n_gpu_layers))
        assert plan.settings.n_gpu_layers == n_gpu_layers

    def test_more_layers_than_there_are(self) -> None:
        assert make_plan(small_qwen(), machine(gpu()), Wishes(n_gpu_layers=99)).settings.n_gpu_layers == 25

    def test_layers_on_a_gpu_that_is_not_there(self) -> None:
        assert make_plan(small_qwen(), machine(), Wishes(n_gpu_layers=25)).settings.n_gpu_layers == 0

    def test_layers_on_a_gpu_without_room_name_it(self) -> None:
        with pytest.raises(PlanError) as caught:
            make_plan(catalog_anatomy("qwen2.5-coder-14b"), machine(gpu(gib=4)), Wishes(n_gpu_layers=49))
        assert "CUDA0 would have to hold 8." in caught.value.message
        assert "3.2 GB of it may be used" in caught.value.message
        assert "engine.n_gpu_layers = -1" in caught.value.hint

    def test_threads(self) -> None:
        plan = make_plan(small_qwen(), machine(), Wishes(n_threads=3))
        assert (plan.settings.n_threads, plan.settings.n_threads_batch) == (3, 3)
        assert make_plan(small_qwen(), machine(), Wishes()).settings.n_threads == 8

    def test_a_share_of_the_memory(self) -> None:
        assert ram_budget(machine(ram_gb=10), Wishes(memory_share=0.5)) == 5 * GB
        with pytest.raises(PlanError):
            make_plan(small_qwen(), machine(ram_gb=2), Wishes(memory_share=0.01))

    def test_two_contexts_take_two_caches(self) -> None:
        one, two = (make_plan(small_qwen(), machine(), Wishes(n_contexts=n)).devices[-1] for n in (1, 2))
        assert two.kv_bytes == 2 * one.kv_bytes
        assert two.weights_bytes == one.weights_bytes

    @pytest.mark.parametrize("profile", ["gpu-24gb-64gb", "h200"])
    def test_the_role_decides_what_is_fast(self, profile: str) -> None:
        """Steps are small for completions, whose prompts are short; also where the GPU holds all."""
        hardware = load_profile(profile)
        assistant, completion = (make_plan(flagship(), hardware, Wishes(role=r)) for r in ("assistant", "completion"))
        assert assistant.settings.n_ubatch > completion.settings.n_ubatch

    def test_numa_nodes_are_used(self) -> None:
        two = replace(machine(), cpu=replace(planning.CPU, numa_nodes=2))
        assert make_plan(small_qwen(), two, Wishes()).settings.numa
        assert not make_plan(small_qwen(), machine(), Wishes()).settings.numa


class TestSequences:
    """As many as are wished where they cost little."""

    def plan(self, ram: float, n_contexts: int = 1, n_sequences: int = 4, **wishes: Any) -> Plan:
        hardware = replace(machine(), ram_available=int(ram))
        wished = Wishes(n_contexts=n_contexts, n_sequences=n_sequences, memory_share=1.0, **wishes)
        plan = make_plan(small_qwen(), hardware, wished)
        check(plan, small_qwen(), hardware)
        return plan

    def cache(self, n_contexts: int = 1) -> int:
        """Bytes that one sequence takes in each context."""
        return self.plan(64 * GB, n_contexts, n_sequences=1).devices[-1].kv_bytes

    def least(self, n_sequences: int, n_contexts: int = 1) -> int:
        """Bytes with which so many fit."""
        chosen = settings(n_ubatch=512, n_seq_max=n_sequences, n_contexts=n_contexts)
        return place(small_qwen(), machine(), chosen)[CPU].resident_bytes

    @pytest.mark.parametrize("profile", ["gpu-24gb-64gb", "rtx3090-80gb"])
    def test_four_on_a_roomy_machine(self, profile: str) -> None:
        plan = make_plan(small_qwen(), load_profile(profile), Wishes(n_contexts=2, n_sequences=SEQUENCES))
        assert (plan.settings.n_seq_max, plan.settings.n_ctx, plan.settings.type_k) == (4, 8192, "F16")

    def test_none_but_those_that_are_wished(self) -> None:
        for n in (1, 2, 3):
            assert self.plan(64 * GB, n_sequences=n).settings.n_seq_max == n
        assert make_plan(small_qwen(), machine(), Wishes()).settings.n_seq_max == 1

    @pytest.mark.parametrize("n_contexts", [1, 2])
    def test_as_many_as_take_a_twelfth_of_the_memory(self, n_contexts: int) -> None:
        one = self.cache(n_contexts)
        assert self.plan(4 * one / 0.08 + 100, n_contexts).settings.n_seq_max == 4
        assert self.plan(4 * one / 0.08 - 100, n_contexts).settings.n_seq_max == 3

    def test_two_where_even_those_take_more(self) -> None:
        assert self.plan(self.cache() / 0.08).settings.n_seq_max == 2
        # The least with which two fit.
        plan = self.plan(self.least(2))
        assert (plan.settings.n_seq_max, plan.settings.n_ctx, plan.settings.type_k) == (2, 8192, "F16")

    def test_one_before_anything_else_is_given_up(self) -> None:
        for n_bytes in (self.least(2) - 1, self.least(1)):
            plan = self.plan(n_bytes)
            assert (plan.settings.n_seq_max, plan.settings.n_ctx, plan.settings.type_k) == (1, 8192, "F16")
        # Two in 8 bits would fit there, too.
        assert self.plan(self.least(1) - 1).settings.type_k == "Q8_0"

    def test_a_shorter_context_may_have_more_of_them(self) -> None:
        assert self.plan(self.cache() / 0.08, n_ctx=2048).settings.n_seq_max == 4

    def test_one_where_weights_are_read_from_disk(self) -> None:
        hardware = replace(load_profile("laptop-16gb"), gpus=())
        plan = make_plan(flagship(), hardware, Wishes(n_contexts=2, n_sequences=4))
        check(plan, flagship(), hardware)
        assert (plan.verdict, plan.settings.n_seq_max) == ("from disk", 1)

    def test_the_memory_of_gpus_counts_once(self) -> None:
        one = self.cache()
        room = int(2.5 * one / 0.08)
        shared = machine(gpu(gib=8, unified=True), ram_gb=room / GB)
        assert make_plan(small_qwen(), shared, Wishes(n_sequences=4, memory_share=1.0)).settings.n_seq_max == 2
        own = machine(gpu(gib=8), ram_gb=room / GB)
        assert make_plan(small_qwen(), own, Wishes(n_sequences=4, memory_share=1.0)).settings.n_seq_max == 4

    @pytest.mark.parametrize("profile", PROFILES)
    @pytest.mark.parametrize("name", BLUEPRINTS)
    def test_every_machine_has_a_plan_with_as_much_context_as_without_them(self, name: str, profile: str) -> None:
        anatomy, hardware = catalog_anatomy(name), load_profile(profile)
        one, four = (make_plan(anatomy, hardware, Wishes(n_contexts=2, n_sequences=n)) for n in (1, 4))
        check(four, anatomy, hardware)
        assert 1 <= four.settings.n_seq_max <= 4
        assert (four.verdict, four.settings.n_ctx, four.settings.type_k) == (
            one.verdict,
            one.settings.n_ctx,
            one.settings.type_k,
        )


class TestFromDisk:
    def test_experts_that_exceed_the_memory_stay_in_their_files(self) -> None:
        hardware = load_profile("laptop-16gb")
        plan = make_plan(flagship(), hardware, Wishes())
        assert plan.verdict == "from disk"
        check(plan, flagship(), hardware)
        assert plan.devices[-1].n_bytes > plan.devices[-1].budget_bytes
        assert plan.predicted.decode < 2
        assert plan.predicted.decode_costs[0].what == "reading from disk"

    def test_a_context_without_room_is_shortened_here_too(self) -> None:
        plan = make_plan(flagship(), load_profile("laptop-16gb"), Wishes(n_ctx=1 << 20))
        assert plan.verdict == "from disk"
        assert 2048 < plan.settings.n_ctx < 1 << 20

    def test_the_gpu_takes_what_it_can(self) -> None:
        plan = make_plan(flagship(), machine(gpu(), ram_gb=32), Wishes())
        assert (plan.verdict, plan.settings.n_gpu_layers) == ("from disk", 44)

    def test_shared_memory_is_counted_once(self) -> None:
        hardware = load_profile("apple-m-64gb")
        plan = make_plan(flagship(), hardware, Wishes())
        assert plan.verdict == "from disk"
        check(plan, flagship(), hardware)

    def test_cache_and_buffers_must_fit(self) -> None:
        with pytest.raises(PlanError) as caught:
            make_plan(flagship(), machine(ram_gb=0.2), Wishes())
        message = caught.value.message
        assert message.startswith("deepseek-v4-flash (61.5 GB) does not fit a machine")
        assert "the RAM would have to hold 3" in message
        assert "170 MB of it may be used" in message
        assert "shardlight models list" in caught.value.hint

    def test_a_dense_model_is_read_whole_for_every_token(self) -> None:
        anatomy, hardware = catalog_anatomy("qwen2.5-coder-14b"), machine(ram_gb=8)
        plan = make_plan(anatomy, hardware, Wishes())
        assert plan.verdict == "from disk"
        check(plan, anatomy, hardware)
        assert plan.predicted.decode <= hardware.disk_read / (8e9)

    def test_a_disk_of_unknown_speed_is_not_relied_on(self) -> None:
        with pytest.raises(PlanError, match="how fast that is read is not known"):
            make_plan(flagship(), replace(machine(ram_gb=16), disk_read=0.0), Wishes())


def test_a_file_without_layers_is_no_model() -> None:
    with pytest.raises(PlanError, match="has no layers"):
        make_plan(model(metadata={"block_count": 0}), machine(), Wishes())


class TestPlanWith:
    def test_settings_that_fit(self) -> None:
        given_settings = settings(n_gpu_layers=3, n_ctx=4096)
        plan = plan_with(small_qwen(), machine(gpu()), Wishes(), given_settings)
        assert (plan.settings, plan.verdict) == (given_settings, "fits")
        assert [device.name for device in plan.devices] == ["CUDA0", CPU]
        assert plan.predicted.decode > 0

    def test_settings_that_do_not(self) -> None:
        plan = plan_with(small_qwen(), machine(ram_gb=0.3), Wishes(), settings())
        assert plan.verdict == "from disk"
        assert plan.devices[-1].n_bytes > plan.devices[-1].budget_bytes

    def test_as_the_plan_that_they_are_from(self) -> None:
        hardware = load_profile("rtx3090-80gb")
        plan = make_plan(flagship(), hardware, Wishes())
        assert plan_with(flagship(), hardware, Wishes(), plan.settings) == plan


class TestBudgets:
    def test_a_gpu_keeps_some_for_others(self) -> None:
        assert gpu_budget(gpu(gib=24)) == 23 << 30
        assert gpu_budget(gpu(gib=80)) == (80 << 30) - int(0.03 * (80 << 30)) // (256 * MIB) * 256 * MIB - 256 * MIB
        assert gpu_budget(gpu(gib=0.5)) == 0

    def test_a_window_that_opens_does_not_change_it(self) -> None:
        card = gpu(gib=24)
        budgets = {gpu_budget(replace(card, free_bytes=card.free_bytes - n * MIB)) for n in (1, 100, 200)}
        assert len(budgets) == 1


def test_a_request_takes_reading_and_writing() -> None:
    assert typical_seconds(Prediction(25.0, 1500.0, ()), "assistant") == 11
    assert typical_seconds(Prediction(24.0, 256.0, ()), "completion") == 2
    assert typical_seconds(Prediction(0.0, 64.0, ()), "completion") == math.inf
    assert typical_seconds(Prediction(24.0, 0.0, ()), "completion") == math.inf


def test_room_for_saved_states_is_set_aside_where_they_are_needed() -> None:
    wishes = Wishes(reserve_bytes=GB)
    roomy = machine(ram_gb=256)
    plain, compressed = (make_plan(model, roomy, wishes).devices[-1] for model in (small_qwen(), flagship()))
    without = make_plan(flagship(), roomy, Wishes()).devices[-1]

    assert compressed.budget_bytes == without.budget_bytes - GB
    assert plain.budget_bytes == without.budget_bytes
