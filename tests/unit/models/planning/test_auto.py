"""Which model suits a machine, and what is suggested where the wanted one does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lsp_server.models.catalog import Catalog, CatalogModel, Role
from lsp_server.models.hardware import GB, Hardware, load_profile
from lsp_server.models.planning.auto import advise, at_rest, catalog_anatomy, is_usable, strongest, suits
from lsp_server.models.planning.plan import Plan, Wishes
from lsp_server.models.planning.planner import make_plan, plan_with
from lsp_server.models.planning.speed import Prediction
from tests.support.planning import CPU, PROFILES, flagship, gpu, machine, settings

CATALOG = Catalog.load()
AS_USUAL = Wishes()
# Too slow for anything.
SLOW = replace(machine(), cpu=replace(CPU, bandwidth=0.1 * GB))


@pytest.mark.parametrize(
    ("role", "decode", "prefill", "usable"),
    [
        # 256 tokens read and 24 written in 2 s at most.
        ("completion", 24 / 1.0, 256 / 0.999, True),
        ("completion", 24 / 1.0, 256 / 1.001, False),
        ("completion", 0.0, 1000.0, False),
        ("completion", 1000.0, 0.0, False),
        # 5 tokens a second, and 1,500 read in 30 s.
        ("assistant", 5.0, 50.0, True),
        ("assistant", 4.99, 50.0, False),
        ("assistant", 5.0, 49.9, False),
        ("assistant", 0.0, 50.0, False),
        ("assistant", 5.0, 0.0, False),
    ],
)
def test_usable_is_what_one_would_wait_for(role: Role, decode: float, prefill: float, usable: bool) -> None:
    assert is_usable(Prediction(decode, prefill, ()), role) is usable


class TestSuits:
    def model(self, name: str) -> CatalogModel:
        return CATALOG.get(name)

    def test_one_that_fits_and_is_fast(self) -> None:
        assert suits(self.model("qwen2.5-coder-7b"), "completion", load_profile("rtx3090-80gb"), 8192)

    def test_one_that_is_too_slow(self) -> None:
        assert not suits(self.model("qwen2.5-coder-0.5b"), "assistant", SLOW, 8192)

    def test_one_that_does_not_fit(self) -> None:
        assert not suits(self.model("qwen2.5-coder-14b"), "assistant", load_profile("laptop-16gb"), 8192)
        assert not suits(self.model("qwen2.5-coder-14b"), "assistant", machine(ram_gb=4), 8192)

    def test_one_that_runs_from_disk_only(self) -> None:
        fast = replace(load_profile("gpu-24gb-64gb"), ram_total=30 * GB, ram_available=30 * GB, disk_read=1e12)
        assert make_plan(flagship(), at_rest(fast), Wishes()).verdict == "from disk"
        assert not suits(self.model("deepseek-v4-flash"), "assistant", fast, 8192)

    def test_a_busy_machine_is_judged_as_one_at_rest(self) -> None:
        busy = replace(load_profile("gpu-24gb-64gb"), ram_available=GB)
        busy = replace(busy, gpus=tuple(replace(g, free_bytes=GB) for g in busy.gpus))
        assert suits(self.model("qwen2.5-coder-14b"), "assistant", busy, 8192)

    def test_unknown_figures_do_not_rule_a_gpu_out(self) -> None:
        unknown = machine(gpu(bandwidth=0.0, flops=0.0, link=0.0))
        for role in ("completion", "assistant"):
            assert suits(self.model("qwen2.5-coder-0.5b"), role, unknown, 8192)

    def test_where_nothing_could_be_measured_the_smallest_still_suits(self) -> None:
        blind = replace(machine(), cpu=replace(CPU, bandwidth=0.0), disk_read=0.0)
        assert suits(self.model("qwen2.5-coder-0.5b"), "assistant", blind, 8192)


def test_at_rest_nothing_else_runs() -> None:
    busy = replace(machine(gpu(free_bytes=GB)), ram_available=GB)
    calm = at_rest(busy)
    assert calm.ram_available == int(busy.ram_total * 0.85)
    assert calm.gpus[0].free_bytes == int(busy.gpus[0].total_bytes * 0.96)
    assert at_rest(calm) == calm
    assert at_rest(machine()).ram_available == machine().ram_available, "more is not made less"


class TestStrongest:
    @pytest.mark.parametrize("profile", PROFILES)
    @pytest.mark.parametrize("role", ["completion", "assistant"])
    def test_is_the_first_that_suits(self, role: Role, profile: str) -> None:
        hardware = load_profile(profile)
        chosen = strongest(CATALOG, role, hardware, 8192)
        assert chosen.commercial_use
        assert suits(chosen, role, hardware, 8192) or chosen == CATALOG.auto(role)[-1]
        better = CATALOG.auto(role)[: CATALOG.auto(role).index(chosen)]
        assert not any(suits(model, role, hardware, 8192) for model in better)

    def test_where_none_suits_the_smallest(self) -> None:
        assert strongest(CATALOG, "assistant", SLOW, 8192).name == "qwen2.5-coder-0.5b"


def advised(name: str, hardware: Hardware, wishes: Wishes = AS_USUAL) -> tuple[str, ...]:
    return advise(make_plan(catalog_anatomy(name), hardware, wishes), hardware, CATALOG).suggestions


class TestAdvise:
    def test_nothing_where_nothing_is_to_be_desired(self) -> None:
        assert advised("qwen2.5-coder-7b", load_profile("rtx3090-80gb")) == ()

    def test_memory_instead_of_the_disk_and_a_smaller_model(self) -> None:
        plan = make_plan(flagship(), load_profile("laptop-16gb"), Wishes())
        disk, smaller = advised("deepseek-v4-flash", load_profile("laptop-16gb"))
        missing = plan.devices[-1].n_bytes - plan.devices[-1].budget_bytes
        assert disk.startswith(f"With {missing / GB:.1f} GB more memory nothing would be read from disk.")
        assert f"a token takes {1 / plan.predicted.decode:.1f} s" in disk
        assert smaller.startswith("qwen2.5-coder-")
        assert "tokens/s" in smaller

    def test_missing_memory_includes_that_of_a_gpu_that_lives_in_it(self) -> None:
        hardware = load_profile("apple-m-64gb")
        plan = make_plan(flagship(), hardware, Wishes())
        missing = sum(device.n_bytes for device in plan.devices) - plan.devices[-1].budget_bytes
        assert f"With {missing / GB:.1f} GB more memory" in advised("deepseek-v4-flash", hardware)[0]

    def test_a_context_that_was_shortened(self) -> None:
        hardware = machine(gpu(gib=10.5), ram_gb=2)
        plan = make_plan(catalog_anatomy("qwen2.5-coder-14b"), hardware, Wishes(n_ctx=32768))
        assert plan.settings.n_ctx < 32768
        (sentence,) = advised("qwen2.5-coder-14b", hardware, Wishes(n_ctx=32768))
        assert f"--ctx {plan.settings.n_ctx} is what fits beside the weights" in sentence

    def test_a_context_that_the_model_was_not_trained_for_is_no_want_of_memory(self) -> None:
        assert advised("qwen2.5-coder-7b", load_profile("h200"), Wishes(n_ctx=1 << 20)) == ()

    def test_a_smaller_model_with_its_speed(self) -> None:
        hardware = load_profile("laptop-16gb")
        plan = make_plan(catalog_anatomy("qwen2.5-coder-7b"), hardware, Wishes("completion"))
        (sentence,) = advise(plan, hardware, CATALOG).suggestions
        name = sentence.split()[0]
        other = make_plan(catalog_anatomy(name), hardware, Wishes("completion"))
        assert is_usable(other.predicted, "completion")
        assert f"at {other.predicted.decode:.0f} tokens/s" in sentence
        assert (CATALOG.get(name).size or 0) < (CATALOG.get("qwen2.5-coder-7b").size or 0)

    def test_nothing_is_usable(self) -> None:
        assert advised("qwen2.5-coder-1.5b", SLOW) == (
            "No smaller model of the catalog reaches a usable speed on this machine.",
        )

    def test_what_is_suggested_has_room_now(self) -> None:
        """At rest the machine would have room for more; a suggestion is for this moment."""
        busy = replace(machine(ram_gb=64), ram_available=1 * GB)
        plan = plan_with(catalog_anatomy("qwen2.5-coder-14b"), busy, Wishes(), settings())
        sentence = advise(plan, busy, CATALOG).suggestions[-1]
        assert sentence.startswith(("qwen2.5-coder-0.5b", "No smaller model"))

    def test_a_model_that_may_not_be_used_commercially_is_never_suggested(self) -> None:
        models = {name: replace(model, commercial_use=False) for name, model in CATALOG.models.items()}
        closed = replace(CATALOG, models=models)
        plan = make_plan(flagship(), load_profile("laptop-16gb"), Wishes())
        assert advise(plan, load_profile("laptop-16gb"), closed).suggestions[-1].startswith("No smaller model")

    def test_a_plan_without_a_prediction(self) -> None:
        blind = replace(machine(ram_gb=16), disk_read=0.0)
        plan: Plan = plan_with(flagship(), blind, Wishes(), settings())
        assert plan.predicted.decode == 0.0
        first = advise(plan, blind, CATALOG).suggestions[0]
        assert first.startswith("With ")
        assert "a token takes" not in first


@pytest.mark.parametrize("name", list(CATALOG.models))
def test_each_model_of_the_catalog_can_be_planned_without_its_files(name: str) -> None:
    assert catalog_anatomy(name).layers
    assert catalog_anatomy(name) is catalog_anatomy(name)
