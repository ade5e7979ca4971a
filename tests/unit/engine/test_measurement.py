"""Measured once and remembered; whatever goes wrong costs the figures and raises nothing."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lsp_server.engine import disk, measurement, processor
from lsp_server.models.hardware import KernelRate

Measured = tuple[float, dict[str, KernelRate]]
Q4_K = {"Q4_K": KernelRate(20e9, 300e9), "Q4_K repacked": KernelRate(30e9, 200e9)}
Q6_K = {"Q6_K": KernelRate(25e9, 250e9)}
RATES = {**Q4_K, **Q6_K}


class Child:
    """Stands in for the process that may die; what it was asked for is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, list[str]]] = []
        self.bandwidth: float = 40e9
        self.disturbed = False
        self.stdout: str | None = None
        self.code = 0
        self.fails: Exception | None = None

    def __call__(self, n_threads: int, types: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.asked.append((n_threads, list(types)))
        if self.fails:
            raise self.fails
        named = [name for t in types for name in (t, f"{t} repacked")]
        kernels = {n: {"stream": RATES[n].stream, "flops": RATES[n].flops} for n in named if n in RATES}
        answer = "a line of the library's\n" + json.dumps(
            {"bandwidth": self.bandwidth, "kernels": kernels, "disturbed": self.disturbed}
        )
        return subprocess.CompletedProcess([], self.code, answer if self.stdout is None else self.stdout, "Aborted\n")


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    child = Child()
    monkeypatch.setattr(measurement, "_child", child)
    return child


@pytest.fixture
def memory_file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "hardware.json"


@pytest.fixture
def measure(memory_file: Path) -> Callable[..., Measured]:
    def run(*types: str, n_threads: int = 2, build_id: str = "build") -> Measured:
        return measurement.measured(n_threads, types, build_id, memory_file=memory_file)

    return run


def test_it_is_measured_once(child: Child, measure: Callable[..., Measured]) -> None:
    first = measure("Q4_K", "Q6_K")
    assert first == (40e9, RATES)
    assert measure("Q4_K", "Q6_K") == first
    assert child.asked == [(2, ["Q4_K", "Q6_K"])]


def test_what_is_measured_on_a_busy_machine_is_not_used_and_measured_again_later(
    child: Child, measure: Callable[..., Measured], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1e9
    monkeypatch.setattr(measurement.time, "time", lambda: now)
    child.disturbed = True
    assert measure("Q4_K") == (0.0, {})
    child.disturbed = False
    assert measure("Q4_K") == (0.0, {})
    assert len(child.asked) == 1

    now += 3601
    assert measure("Q4_K") == (40e9, Q4_K)


def test_what_is_known_is_used_on_a_busy_machine_too(child: Child, measure: Callable[..., Measured]) -> None:
    measure("Q4_K")
    child.disturbed = True
    assert measure("Q4_K", "Q6_K") == (40e9, Q4_K)


def test_bandwidth_alone_is_measured_too(child: Child, measure: Callable[..., Measured]) -> None:
    assert measure() == (40e9, {})
    assert measure() == (40e9, {})
    assert child.asked == [(2, [])]


def test_only_what_is_missing_is_measured_and_merged(child: Child, measure: Callable[..., Measured]) -> None:
    measure("Q4_K")
    child.bandwidth = 12e9  # something else was running meanwhile

    assert measure("Q6_K", "Q4_K", "Q6_K") == (40e9, RATES)
    assert child.asked == [(2, ["Q4_K"]), (2, ["Q6_K"])]
    assert measure("Q4_K")[1] == Q4_K
    assert len(child.asked) == 2


def test_a_type_that_cannot_be_multiplied_with_is_tried_once(child: Child, measure: Callable[..., Measured]) -> None:
    assert measure("Q4_K", "I32") == (40e9, Q4_K)
    assert measure("Q4_K", "I32") == (40e9, Q4_K)
    assert len(child.asked) == 1


def test_other_threads_build_or_processor_are_measured_anew(
    child: Child, measure: Callable[..., Measured], monkeypatch: pytest.MonkeyPatch
) -> None:
    measure("Q4_K")
    measure("Q4_K", n_threads=1)
    measure("Q4_K", build_id="newer")
    monkeypatch.setattr(processor, "name", lambda: "Abacus 9000")
    measure("Q4_K")
    assert len(child.asked) == 4


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "\ufffd"])
def test_a_damaged_memory_counts_as_none(
    child: Child, measure: Callable[..., Measured], memory_file: Path, content: str
) -> None:
    memory_file.parent.mkdir()
    memory_file.write_text(content, encoding="utf-8")
    assert measure("Q4_K") == (40e9, Q4_K)
    measure("Q4_K")
    assert len(child.asked) == 1


@pytest.mark.parametrize(
    "entry",
    [
        None,
        3,
        {},
        {"bandwidth": -1, "kernels": {}},
        {"bandwidth": True, "kernels": []},
        {"bandwidth": 40e9, "kernels": {"Q4_K": {"stream": "fast", "flops": 1}}},
        {"bandwidth": 40e9, "kernels": {"Q4_K": {"stream": 1.0}}},
        {"bandwidth": 40e9, "kernels": {"Q4_K": 5}},
    ],
)
def test_a_damaged_entry_counts_as_none(
    child: Child, measure: Callable[..., Measured], memory_file: Path, entry: object
) -> None:
    measure("Q4_K")
    (key,) = json.loads(memory_file.read_text(encoding="utf-8"))
    memory_file.write_text(json.dumps({key: entry}), encoding="utf-8")
    bandwidth, rates = measure("Q4_K")
    assert bandwidth == 40e9
    assert rates == Q4_K
    assert len(child.asked) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        {"code": -11},
        {"stdout": ""},
        {"stdout": "no JSON\n"},
        {"stdout": "[]\n"},
        {"fails": subprocess.TimeoutExpired("python", 120.0)},
        {"fails": PermissionError("no processes here")},
    ],
    ids=["crash", "silence", "nonsense", "other JSON", "hangs", "cannot be started"],
)
def test_a_child_that_does_not_tell_is_a_warning(
    child: Child,
    measure: Callable[..., Measured],
    memory_file: Path,
    caplog: pytest.LogCaptureFixture,
    trouble: dict[str, Any],
) -> None:
    for name, value in trouble.items():
        setattr(child, name, value)
    with caplog.at_level(logging.WARNING):
        assert measure("Q4_K") == (0.0, {})
    assert "Measuring this machine" in caplog.text
    assert not memory_file.exists()


@pytest.mark.usefixtures("child")
def test_a_memory_that_cannot_be_written_is_a_warning(
    measure: Callable[..., Measured], memory_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory_file.parent.write_text("a file where the folder should be", encoding="utf-8")
    assert measure("Q4_K")[0] == 40e9
    assert str(memory_file) in caplog.text


def test_a_disk_is_measured_once_and_beside_the_rest(
    measure: Callable[..., Measured], child: Child, memory_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def rate(place: Path) -> float:
        read.append(place)
        return 2e9

    monkeypatch.setattr(disk, "read_rate", rate)
    measure("Q4_K")
    assert measurement.disk_rate(tmp_path, memory_file=memory_file) == 2e9
    assert measurement.disk_rate(tmp_path, memory_file=memory_file) == 2e9
    measure("Q4_K")
    assert (len(read), len(child.asked)) == (1, 1)


def test_a_disk_that_could_not_be_measured_is_tried_again(
    memory_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "read_rate", lambda _place: 0.0)
    assert measurement.disk_rate(tmp_path, memory_file=memory_file) == 0.0
    assert measurement.disk_rate(tmp_path / "nothing", memory_file=memory_file) == 0.0
    assert not memory_file.exists()
