"""The processor: cores, memory domains and instruction sets, on made-up /sys trees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lsp_server.engine import cgroup, processor


@pytest.fixture
def may_use(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The processors of the affinity, to be filled in."""
    usable: set[int] = set()
    monkeypatch.setattr(processor, "_affinity", lambda: usable)
    return usable


@pytest.fixture
def cpus(tmp_path: Path) -> Path:
    """Four cores with two hyper-threads each: 0 and 4 are one core, 1 and 5 the next."""
    for number in range(8):
        folder = tmp_path / f"cpu{number}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{number % 4},{number % 4 + 4}\n", encoding="ascii")
    return tmp_path


@pytest.mark.parametrize(
    ("usable", "cores"),
    [(set(range(8)), 4), ({0, 4}, 1), ({0, 1}, 2), ({3, 4, 7}, 2)],
    ids=["all", "one core's two threads", "two cores' first threads", "both of one, one of another"],
)
def test_hyper_threads_of_a_core_are_one(cpus: Path, may_use: set[int], usable: set[int], cores: int) -> None:
    may_use |= usable
    assert processor.physical_cores(cpus) == cores


@pytest.mark.parametrize(("known", "cores"), [(64, 3), (2, 2), (None, 3)])
def test_where_siblings_are_not_told_it_is_no_more_than_may_be_used(
    tmp_path: Path, may_use: set[int], monkeypatch: pytest.MonkeyPatch, known: int | None, cores: int
) -> None:
    may_use |= {0, 1, 2}
    monkeypatch.setattr(processor.psutil, "cpu_count", lambda logical: known)
    assert processor.physical_cores(tmp_path) == cores


@pytest.mark.parametrize(("quota", "threads"), [(None, 8), (16.0, 8), (3.9, 3), (1.0, 1), (0.2, 1)])
def test_threads_stay_within_the_quota(monkeypatch: pytest.MonkeyPatch, quota: float | None, threads: int) -> None:
    monkeypatch.setattr(processor, "physical_cores", lambda: 8)
    monkeypatch.setattr(cgroup, "cpus", lambda: quota)
    assert processor.default_threads() == threads


@pytest.mark.parametrize(("usable", "nodes"), [({0, 9}, 2), ({0, 1, 2, 3}, 1), ({99}, 1)])
def test_memory_domains_count_where_we_may_run(tmp_path: Path, may_use: set[int], usable: set[int], nodes: int) -> None:
    # The third has memory and no processors (CXL).
    for number, text in enumerate(["0-3,8", "4-7,9", ""]):
        (tmp_path / f"node{number}").mkdir()
        (tmp_path / f"node{number}" / "cpulist").write_text(text + "\n", encoding="ascii")
    may_use |= usable
    assert processor.numa_nodes(tmp_path) == nodes


def test_without_such_files_there_is_one_domain(tmp_path: Path) -> None:
    assert processor.numa_nodes(tmp_path / "nothing") == 1


def test_this_machine_has_at_least_one_core_and_a_name() -> None:
    assert 1 <= processor.default_threads() <= (os.cpu_count() or 1)
    assert processor.name()
    assert set(processor.features()) <= set(processor.FEATURES)


APPLE = """\
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_I8MM: 1
hw.optional.arm.FEAT_SME: 1
hw.optional.neon: 1
machdep.cpu.brand_string: Apple M4 Max
"""

INTEL = """\
hw.optional.avx2_0: 1
machdep.cpu.features: FPU SSE4.1 SSE4.2 AVX1.0 FMA F16C
machdep.cpu.leaf7_features: AVX2 BMI2
machdep.cpu.brand_string: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz
"""


@pytest.mark.parametrize(
    ("text", "features", "name"),
    [
        (APPLE, ("asimd", "asimddp", "i8mm"), "Apple M4 Max"),
        (INTEL, ("sse4_2", "avx", "avx2", "fma", "f16c"), "Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz"),
        ("", (), None),
    ],
    ids=["Apple", "Intel", "nothing"],
)
def test_what_macos_says_is_spelled_as_on_linux(text: str, features: tuple[str, ...], name: str | None) -> None:
    values = processor._parse_sysctl(text)
    assert processor._features_of_sysctl(values) == features
    assert values.get("machdep.cpu.brand_string") == name
