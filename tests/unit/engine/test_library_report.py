from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from lsp_server.engine import library_report
from lsp_server.engine.hardware import Device, Library
from lsp_server.engine.native import kernels, library
from lsp_server.models.hardware import KernelRate


def test_the_library_describes_itself(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    device = Device("CPU", "A processor", "cpu", 1, 2)
    monkeypatch.setattr(library, "described", lambda: Library("0.3.36", "AVX2 = 1", (device,), "build"))

    assert library_report.main([]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "version": "0.3.36",
        "system_info": "AVX2 = 1",
        "build_id": "build",
        "devices": [
            {"name": "CPU", "description": "A processor", "kind": "cpu", "free_bytes": 1, "total_bytes": 2},
        ],
    }


@pytest.mark.parametrize(
    ("all_s", "own_s", "disturbed"),
    [
        (2.0, 2.0, False),
        (2.2, 2.0, False),
        (2.4, 2.0, True),
        (10.0, 2.0, True),
        (1.9, 2.0, False),
    ],
)
def test_figures_are_marked_if_others_worked_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    all_s: float,
    own_s: float,
    disturbed: bool,
) -> None:
    """The measurement takes a second; the processors work ``all_s`` in it, ``own_s`` of these for it."""
    now = SimpleNamespace(wall=100.0, all=5000.0, own=3.0)

    def measure(n_threads: int, types: list[str]) -> tuple[float, dict[str, KernelRate]]:
        assert (n_threads, types) == (2, ["Q4_K", "F16"])
        now.wall, now.all, now.own = now.wall + 1.0, now.all + all_s, now.own + own_s
        return 20e9, {"Q4_K": KernelRate(10e9, 300e9)}

    monkeypatch.setattr(kernels, "measure", measure)
    clock = SimpleNamespace(monotonic=lambda: now.wall, process_time=lambda: now.own)
    monkeypatch.setattr(library_report, "time", clock)
    times = SimpleNamespace(cpu_times=lambda: SimpleNamespace(user=now.all - 1000, system=1000.0))
    monkeypatch.setattr(library_report, "psutil", times)

    assert library_report.main(["--measure", "2", "Q4_K,F16"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "bandwidth": 20e9,
        "kernels": {"Q4_K": {"stream": 10e9, "flops": 300e9}},
        "disturbed": disturbed,
    }


def test_without_types_the_bandwidth_alone_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def measure(*given: object) -> tuple[float, dict[str, KernelRate]]:
        asked.extend(given)
        return 20e9, {}

    monkeypatch.setattr(kernels, "measure", measure)

    library_report.main(["--measure", "2", ""])

    assert asked == [2, []]
    assert json.loads(capsys.readouterr().out)["kernels"] == {}
