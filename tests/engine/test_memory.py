"""What a plan says a model takes, held against what llama.cpp allocates for it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lsp_server.engine import processor
from lsp_server.engine.loading import totals
from lsp_server.engine.native import library
from lsp_server.engine.trial import settings_from, simulated
from lsp_server.models.gguf.shard_set import open_set
from lsp_server.models.hardware import GB, Cpu, Hardware
from lsp_server.models.planning.anatomy import anatomy_of
from lsp_server.models.planning.plan import SEQUENCES, Wishes
from lsp_server.models.planning.planner import make_plan, plan_with
from lsp_server.models.planning.settings import LoadSettings
from tests.support.engine import RunningEngine, engine_spec, launch, shut_down

TOLERANCE = {"weights": 0.02, "kv": 0.02, "compute": 0.15}


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A model that an engine has loaded; ``plan`` is what /props says of it."""

    path: Path
    plan: Mapping[str, Any]

    @property
    def settings(self) -> LoadSettings:
        known = {field.name for field in dataclasses.fields(LoadSettings)}
        return settings_from({name: value for name, value in self.plan["settings"].items() if name in known})


def per_context(plan: Mapping[str, Any]) -> dict[str, int]:
    """Bytes of weights, and of what each of the two contexts has."""
    sums = {what: sum(device[f"{what}_bytes"] for device in plan["devices"]) for what in TOLERANCE}
    return {what: size if what == "weights" else size // 2 for what, size in sums.items()}


def agree(planned: Mapping[str, int], real: Mapping[str, int], *, without: str = "") -> None:
    for what, tolerance in TOLERANCE.items():
        if what != without:
            assert planned[what] == pytest.approx(real[what], rel=tolerance), what


def as_loaded(path: Path, n_ctx: int) -> Iterator[Loaded]:
    async def start() -> tuple[RunningEngine, Loaded]:
        running = await launch(engine_spec(path, n_ctx=n_ctx))
        async with running.client() as client:
            return running, Loaded(path, (await client.get("/props")).json()["plan"])

    running, loaded = asyncio.run(start())
    yield loaded
    asyncio.run(shut_down(running))


# Other contexts than that of the engine that all tests share: these are shut down here.
@pytest.fixture(scope="module", params=[3072, 8192])
def small(small_model: Path, request: pytest.FixtureRequest) -> Iterator[Loaded]:
    yield from as_loaded(small_model, request.param)


@pytest.fixture(scope="module", params=[512, 4096])
def deepseek4(tiny_deepseek4: Path, request: pytest.FixtureRequest) -> Iterator[Loaded]:
    yield from as_loaded(tiny_deepseek4, request.param)


def machine() -> Hardware:
    """This one, as a file would describe it: nothing of it is measured, and llama.cpp is not asked."""
    cpu = Cpu("described", physical_cores=2, features=processor.features(), numa_nodes=1, bandwidth=40e9)
    return Hardware("described", cpu, ram_total=64 * GB, ram_available=64 * GB, disk_read=1e9)


def by_formulas(loaded: Loaded) -> dict[str, Any]:
    """The plan for what was loaded."""
    return plan_with(anatomy_of(open_set(loaded.path)), machine(), Wishes(n_contexts=2), loaded.settings).as_json()


@pytest.mark.real_model
def test_a_real_model_takes_what_was_planned(small: Loaded) -> None:
    assert small.plan["exact"]
    agree(per_context(small.plan), small.plan["measured"])


@pytest.mark.real_model
def test_the_formulas_alone_say_so_too(small: Loaded) -> None:
    formulas = by_formulas(small)
    assert not formulas["exact"]
    agree(per_context(formulas), small.plan["measured"])


@pytest.mark.real_model
def test_a_plan_for_a_machine_that_is_only_described_is_right_too(small: Loaded) -> None:
    wishes = Wishes(n_ctx=small.settings.n_ctx, n_contexts=2, n_sequences=SEQUENCES, role="completion")
    plan = make_plan(anatomy_of(open_set(small.path)), machine(), wishes)
    assert plan.settings.n_ctx == small.settings.n_ctx
    # It may choose otherwise whether the CPU keeps rearranged weights, and these count as weights.
    agree(per_context(plan.as_json()), small.plan["measured"], without="weights")


def test_deepseek_v4_takes_what_was_planned(deepseek4: Loaded) -> None:
    assert deepseek4.plan["exact"]
    agree(per_context(deepseek4.plan), deepseek4.plan["measured"])


def test_the_formulas_know_deepseek_v4s_cache(deepseek4: Loaded) -> None:
    agree(per_context(by_formulas(deepseek4)), deepseek4.plan["measured"])


def test_the_formulas_agree_with_a_simulation(deepseek4: Loaded, tmp_path: Path) -> None:
    found = simulated(deepseek4.path, deepseek4.settings, library.build_id(), memory_file=tmp_path / "trials.json")
    assert found is not None
    agree(per_context(by_formulas(deepseek4)), totals(found), without="weights")
    assert totals(found)["weights"] == 0
