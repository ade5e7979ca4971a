from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from lsp_server.engine import power
from lsp_server.engine.power import Battery


@pytest.fixture(autouse=True)
def supplies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Linux' folder of power supplies, which is not there until a test makes it."""
    folder = tmp_path / "power_supply"
    monkeypatch.setattr(power, "_SUPPLIES", folder)
    return folder


class Machine:
    """A machine whose plug a test can pull, and a clock that it can set."""

    def __init__(self) -> None:
        self.on_battery = False
        self.time = 1000.0
        self.asked = 0

    def unplugged(self) -> bool:
        self.asked += 1
        return self.on_battery


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def battery(machine: Machine) -> Battery:
    return Battery(machine.unplugged, lambda: machine.time)


@pytest.mark.parametrize("on_battery", [True, False])
def test_the_system_is_asked(machine: Machine, battery: Battery, on_battery: bool) -> None:
    machine.on_battery = on_battery
    assert battery.in_use() is on_battery


def test_it_is_asked_seldom(machine: Machine, battery: Battery) -> None:
    for _ in range(5):
        battery.in_use()
    machine.on_battery = True
    machine.time += 9.9
    assert not battery.in_use()
    assert machine.asked == 1


def test_after_a_while_it_is_asked_again(machine: Machine, battery: Battery) -> None:
    assert not battery.in_use()
    machine.on_battery = True
    machine.time += 10.0
    assert battery.in_use()
    assert machine.asked == 2


@pytest.mark.parametrize(
    ("told", "on_battery"),
    [
        (None, False),
        (SimpleNamespace(power_plugged=True), False),
        (SimpleNamespace(power_plugged=False), True),
        (SimpleNamespace(power_plugged=None), False),
    ],
    ids=["no battery", "plugged in", "unplugged", "unknown"],
)
def test_what_psutil_tells(monkeypatch: pytest.MonkeyPatch, told: Any, on_battery: bool) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: told, raising=False)
    assert Battery().in_use() is on_battery


def test_a_system_of_which_psutil_knows_nothing_is_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    assert not Battery().in_use()


@pytest.mark.parametrize("error", [FileNotFoundError("gone"), RuntimeError("no service"), TypeError("not a number")])
def test_a_system_that_refuses_to_tell_is_plugged_in(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(psutil, "sensors_battery", refuse, raising=False)
    assert not Battery().in_use()


LAPTOP = {"BAT0": {"type": "Battery", "status": "Discharging"}, "AC": {"type": "Mains", "online": "0"}}
MOUSE = {"hidpp_battery_0": {"type": "Battery", "scope": "Device", "status": "Discharging"}}


@pytest.mark.parametrize(
    ("found", "on_battery"),
    [
        ({}, False),
        (LAPTOP, True),
        ({**LAPTOP, "AC": {"type": "Mains", "online": "1"}}, False),
        ({"BAT0": {"type": "Battery", "status": "Full"}}, False),
        (MOUSE, False),
        ({**MOUSE, **LAPTOP}, True),
    ],
    ids=["none", "unplugged", "plugged in", "full", "a mouse", "a laptop with a mouse"],
)
def test_what_linux_tells(supplies: Path, found: dict[str, dict[str, str]], on_battery: bool) -> None:
    supplies.mkdir()
    for name, files in found.items():
        (supplies / name).mkdir()
        for file, text in files.items():
            (supplies / name / file).write_text(text + "\n")

    assert Battery().in_use() is on_battery
