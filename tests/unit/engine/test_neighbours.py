"""What other engines take, on a made-up machine with 100 bytes of RAM and a GPU of 50."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

from lsp_server.engine import neighbours, runtime
from lsp_server.engine.neighbours import ALONE, Claims, Neighbours, claims_beside, claims_of, told, unseen_claims
from lsp_server.engine.runtime import EngineRecord
from lsp_server.errors import PlanError
from lsp_server.models.planning.plan import Plan
from tests.support.loads import MIB, device, plan

MINE = 999_999


def record(pid: int, claims: Mapping[str, int], *, model: str = "other.gguf", loaded: bool = True) -> EngineRecord:
    return EngineRecord(pid, 1.0, 80, "token", model, model, 512, 0, "1", 1.0, "", dict(claims), loaded)


@dataclass
class Machine:
    """The engines that run, how much memory each has of its own, and which of them no editor has any more."""

    running: dict[int, EngineRecord] = field(default_factory=dict)
    own_bytes: dict[int, int] = field(default_factory=dict)
    unused: set[int] = field(default_factory=set)
    sent_away: list[int] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)

    def run(self, record: EngineRecord, own_bytes: int = 0, *, unused: bool = False) -> None:
        self.running[record.pid] = record
        self.own_bytes[record.pid] = own_bytes
        if unused:
            self.unused.add(record.pid)

    def send_away(self, record: EngineRecord) -> None:
        self.sent_away.append(record.pid)
        del self.running[record.pid]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(runtime, "all_running", lambda: list(machine.running.values()))
    monkeypatch.setattr(runtime, "update", lambda name, pid, **changes: machine.updates.append({name: changes}))
    monkeypatch.setattr(neighbours, "_private_bytes", lambda pid: machine.own_bytes[pid])
    monkeypatch.setattr(neighbours, "is_unused", lambda record: record.pid in machine.unused)
    monkeypatch.setattr(neighbours, "_send_away", machine.send_away)
    return machine


@pytest.fixture
def mine() -> Neighbours:
    return Neighbours("mine", MINE, "mine.gguf")


def fits(n_bytes: int, gpu: int = 0) -> Any:
    """Plans for a model that takes so many MiB; slower where the GPU has no room for its part."""

    def make(claims: Claims) -> Plan:
        if claims.get("CPU", 0) + n_bytes > 100:
            raise PlanError("It does not fit.")
        there = claims.get("GPU", 0) + gpu <= 50
        made = plan(device("CPU", weights=n_bytes), device("GPU", weights=gpu if there else 0))
        return replace(made, predicted=replace(made.predicted, decode=10.0 if there else 1.0))

    return make


@pytest.mark.usefixtures("machine")
def test_alone_there_are_no_claims(mine: Neighbours) -> None:
    seen: list[Claims] = []

    def make(claims: Claims) -> Plan:
        seen.append(claims)
        return plan(device("CPU"))

    mine.planned(make)
    ALONE.planned(make)
    assert seen == [{}, {}]


def test_what_the_system_does_not_count_is_left_to_the_others(machine: Machine, mine: Neighbours) -> None:
    machine.run(record(1, {"CPU": 70, "GPU": 30}), own_bytes=20)
    machine.run(record(2, {"CPU": 5, "GPU": 7}, loaded=False), own_bytes=9)
    machine.run(record(3, {}))
    machine.run(record(MINE, {"CPU": 1000}))
    seen: list[Claims] = []

    def make(claims: Claims) -> Plan:
        seen.append(claims)
        return plan(device("CPU"))

    mine.planned(make)

    assert seen == [{"CPU": 50, "GPU": 7}]


def test_the_pages_of_one_file_are_counted_once(machine: Machine, mine: Neighbours) -> None:
    machine.run(record(1, {"CPU": 70}, model="mine.gguf"), own_bytes=20)
    assert mine._claims() == {"CPU": 0}
    assert mine._claims([machine.running[1]]) == {"CPU": -20}


def test_the_next_one_is_told(machine: Machine, mine: Neighbours) -> None:
    made = mine.planned(fits(60))
    mine.loaded(made)
    claims = {"CPU": 60 * MIB, "GPU": 0}
    assert claims_of(made) == claims
    assert machine.updates == [{"mine": {"claims": claims}}, {"mine": {"claims": claims, "loaded": True}}]


def test_who_plans_for_too_long_is_not_waited_for(
    machine: Machine, mine: Neighbours, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "runtime_directory", lambda: tmp_path)
    monkeypatch.setattr(neighbours, "_LOCK_S", 0.01)
    with FileLock(tmp_path / "planning.lock"):
        made = mine.planned(fits(60))
    assert machine.updates == [{"mine": {"claims": claims_of(made)}}]


@pytest.mark.parametrize(
    ("claims", "own", "wish", "leaves"),
    [
        ({"CPU": 70}, 0, fits(60), True),
        ({"CPU": 30}, 0, fits(60), False),
        ({"CPU": 70}, 0, fits(130), False),
        ({"CPU": 1, "GPU": 20}, 0, fits(60, gpu=60), True),
        ({"CPU": 1, "GPU": 20}, 0, fits(60, gpu=40), False),
    ],
    ids=["no room", "room for both", "no room in any case", "room on the GPU", "room on the GPU for both"],
)
def test_one_that_nobody_uses_leaves_if_it_is_in_the_way(
    machine: Machine, mine: Neighbours, claims: dict[str, int], own: int, wish: Any, leaves: bool
) -> None:
    machine.run(record(1, claims), own, unused=True)
    try:
        mine.planned(wish)
    except PlanError:
        assert not leaves
    assert machine.sent_away == [1] * leaves


def test_one_that_is_used_stays(machine: Machine, mine: Neighbours) -> None:
    machine.run(record(1, {"CPU": 70}))
    with pytest.raises(PlanError):
        mine.planned(fits(60))
    assert machine.sent_away == []


def test_it_is_told_what_is_left_to_others(machine: Machine) -> None:
    machine.run(record(1, {"CPU": 70_000_000, "GPU": 5}), own_bytes=20_000_000)
    claims = claims_beside(Path("mine.gguf"))
    assert told(claims) == ("50.0 MB of the RAM are left to other models that run.",)
    assert told({"GPU": 3_000_000, "CPU": -1}) == ("3.0 MB of GPU are left to other models that run.",)


def test_memory_of_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own = neighbours._private_bytes(os.getpid())
    assert 0 < own <= psutil.Process().memory_info().rss
    assert neighbours._private_bytes(2**22 + 1) == 0
    monkeypatch.setattr(neighbours, "_private_bytes", lambda _pid: 40)
    assert unseen_claims(record(1, {"CPU": 30, "GPU": 5})) == {"CPU": 0, "GPU": 0}
