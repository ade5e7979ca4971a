from __future__ import annotations

import os
from pathlib import Path

import pytest

from lsp_server.engine import crashes, runtime


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "user_state_path", lambda name, appauthor: tmp_path / name)


class World:
    """Engines that begin and end at times of the test's choosing, each with a process number of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        self.pid = 100
        monkeypatch.setattr(crashes.time, "time", lambda: self.now)
        monkeypatch.setattr(os, "getpid", lambda: self.pid)

    def crash(self, after_s: float = 0.0) -> None:
        self.pid += 1
        crashes.begun("a")
        self.now += after_s


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_one_that_never_ran_may_be_started(world: World) -> None:
    assert crashes.rest_s("a") == 0


def test_the_third_crash_within_half_an_hour_is_followed_by_a_rest(world: World) -> None:
    world.crash(60)
    world.crash(60)
    assert crashes.rest_s("a") == 0
    world.crash(60)
    assert crashes.rest_s("a") == 1800 - 180
    assert crashes.rest_s("b") == 0
    world.now += 1800 - 180
    assert crashes.rest_s("a") == 0


def test_after_the_rest_one_try_is_one_try(world: World) -> None:
    for _ in range(3):
        world.crash(60)
    world.now += 1800 - 180
    world.crash(1)
    assert crashes.rest_s("a") > 0


def test_who_says_goodbye_has_not_crashed(world: World) -> None:
    for _ in range(5):
        world.crash()
        crashes.ended_well("a")
    assert crashes.rest_s("a") == 0


def test_crashes_of_other_days_do_not_count(world: World) -> None:
    for _ in range(5):
        world.crash(901)
    assert crashes.rest_s("a") == 0


def test_a_clock_that_was_set_back_forbids_nothing(world: World) -> None:
    for _ in range(3):
        world.crash()
    world.now -= 86_400
    assert crashes.rest_s("a") == 0


@pytest.mark.parametrize("text", ["", "{", "[1]", '[["x", 1]]', "\x00"])
def test_a_damaged_note_forbids_nothing(world: World, text: str) -> None:
    for _ in range(3):
        world.crash()
    (runtime.runtime_directory() / "a.begun").write_text(text, encoding="utf-8")
    assert crashes.rest_s("a") == 0
    world.crash()
    assert crashes.rest_s("a") == 0


def test_a_place_that_cannot_be_written_keeps_nobody_from_serving(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runtime.runtime_directory() / "a.begun").mkdir()
    crashes.begun("a")
    crashes.ended_well("a")
    assert crashes.rest_s("a") == 0
    assert [path.name for path in runtime.runtime_directory().iterdir()] == ["a.begun"]


def test_what_it_was_stands_in_the_log(world: World) -> None:
    assert crashes.last_words("a") == ""
    log = runtime.log_path("a")
    log.write_text("INFO Ready: small\n", encoding="utf-8")
    assert crashes.last_words("a") == ""
    log.write_text(
        "INFO Ready\nFatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n",
        encoding="utf-8",
    )
    assert crashes.last_words("a") == "Segmentation fault"


def test_forgotten_crashes_do_not_count(world: World) -> None:
    for _ in range(3):
        world.crash()
    crashes.forget("a")
    crashes.forget("a")
    assert crashes.rest_s("a") == 0
