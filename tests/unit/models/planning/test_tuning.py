"""Advice follows from what was measured beside what was planned, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lsp_server.models.blueprint import load_blueprint
from lsp_server.models.catalog import Catalog
from lsp_server.models.hardware import load_profile
from lsp_server.models.planning.anatomy import Anatomy, anatomy_of
from lsp_server.models.planning.auto import at_rest, catalog_anatomy
from lsp_server.models.planning.plan import Wishes
from lsp_server.models.planning.planner import make_plan
from lsp_server.models.planning.tuning import Measured, changes
from tests.support.planning import model

CATALOG = Catalog.load()
LAPTOP = load_profile("laptop-16gb")
WISHES = Wishes(role="completion", n_contexts=2, n_sequences=4, reserve_bytes=10**9)


def advice(
    name: Anatomy | str,
    *,
    share: float = 1.0,
    busy: float = 0.0,
    typed: float | None = None,
    profile: str = "laptop-16gb",
    wishes: Wishes = WISHES,
) -> tuple[str, ...]:
    """For a model that is measured at a share of the speed it is planned at."""
    anatomy = catalog_anatomy(name) if isinstance(name, str) else name
    hardware = load_profile(profile)
    planned = make_plan(anatomy, at_rest(hardware), wishes).predicted
    measured = Measured(planned.prefill * share, planned.decode * share, busy, typed)
    return changes(anatomy, hardware, wishes, measured, CATALOG)


def test_nothing_follows_where_it_is_as_planned_and_the_largest_that_is_fast_enough() -> None:
    assert advice("qwen2.5-coder-7b", profile="h200", typed=1.0) == ()


def test_a_larger_model_where_there_is_room_for_it() -> None:
    (line,) = advice("qwen2.5-coder-0.5b")
    assert line.startswith("There is room for qwen2.5-coder-1.5b (1.1 GB)")
    assert "`shardlight models pull qwen2.5-coder-1.5b`" in line


def test_a_larger_model_that_would_be_as_slow_as_this_one_is_not_advised() -> None:
    lines = advice("qwen2.5-coder-0.5b", share=0.75)
    assert lines == ()


def test_a_smaller_model_where_it_is_too_slow() -> None:
    (line,) = advice("qwen2.5-coder-7b")
    assert "takes 8.4 s, with qwen2.5-coder-1.5b (1.1 GB) about 1.8 s" in line


def test_where_no_smaller_model_would_do_none_is_named() -> None:
    lines = advice("qwen2.5-coder-0.5b", share=0.1)
    assert not any("models pull" in line for line in lines)


def test_slower_than_planned_beside_others_is_to_be_measured_again_and_says_nothing_of_models() -> None:
    (line,) = advice("qwen2.5-coder-7b", share=0.5, busy=1.5)
    assert "writes 4.02 tokens/s of 8.04 planned and reads 23.7 tokens/s of 47.4 planned" in line
    assert "Other programs took 1.5 cores meanwhile" in line


def test_slower_than_planned_alone_is_looked_into() -> None:
    first, *_ = advice("qwen2.5-coder-0.5b", share=0.5)
    assert "No other program was busy" in first
    assert "`shardlight doctor`" in first


@pytest.mark.parametrize(
    ("wishes", "profile", "name"),
    [
        (replace(WISHES, n_threads=1), "laptop-16gb", "engine.n_threads = 1"),
        (replace(WISHES, n_gpu_layers=0), "h200", "engine.n_gpu_layers = 0"),
    ],
)
def test_a_setting_that_costs_speed(wishes: Wishes, profile: str, name: str) -> None:
    (line,) = advice("qwen2.5-coder-7b", wishes=wishes, profile=profile)
    assert line.startswith(f"Without {name} it is planned at ")


def test_a_setting_that_costs_nothing_is_left_alone() -> None:
    cores = LAPTOP.cpu.physical_cores
    assert advice("qwen2.5-coder-0.5b", wishes=replace(WISHES, n_threads=cores)) == advice("qwen2.5-coder-0.5b")


def test_a_finer_form_than_need_be_where_it_is_too_slow() -> None:
    row = '{ name = "blk.{layer}.ffn_up.weight", layers = "0-3", shape = [256, 512], type = "Q8_0" },'
    fine, usual = model(rows=row), model()
    slow = Measured(5.0, 0.5)
    assert [line for line in changes(fine, LAPTOP, WISHES, slow, CATALOG) if "6.9 bits each" in line]
    assert not [line for line in changes(usual, LAPTOP, WISHES, slow, CATALOG) if "bits each" in line]


def test_a_keystroke_that_evaluates_much_again_where_states_are_saved_for_it() -> None:
    flagship = anatomy_of(load_blueprint("deepseek-v4-flash").shard_set())
    lines = advice(flagship, profile="h200", typed=900)
    assert any("engine.checkpoint_mb" in line and "900 tokens" in line for line in lines)
    assert not any("checkpoint_mb" in line for line in advice(flagship, profile="h200", typed=3))
    assert not any("checkpoint_mb" in line for line in advice("qwen2.5-coder-7b", profile="h200", typed=900))


def test_what_is_read_from_the_disk_lacks_memory() -> None:
    lines = advice("deepseek-v4-flash", wishes=replace(WISHES, role="assistant"))
    assert any("more memory nothing would be read from disk" in line for line in lines)
