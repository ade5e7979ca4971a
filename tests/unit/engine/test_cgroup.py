"""Limits of control groups, on made-up trees: version 1, version 2, both, none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsp_server.engine import cgroup

GIB = 2**30
NO_LIMIT_V1 = "9223372036854771712"


class Tree:
    """A machine's /sys/fs/cgroup and this process' place in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "cgroup"
        self.membership = folder / "self"
        self.root.mkdir()

    def member_of(self, *lines: str) -> None:
        self.membership.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")

    def group(self, path: str, **files: str) -> None:
        """Files are named with ``__`` for the dot."""
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text + "\n", encoding="ascii")

    def memory(self) -> cgroup.Memory | None:
        return cgroup.memory(self.root, self.membership)

    def cpus(self) -> float | None:
        return cgroup.cpus(self.root, self.membership)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_where_there_are_no_groups_there_is_no_limit(tree: Tree) -> None:
    assert tree.memory() is None
    assert tree.cpus() is None


def test_a_group_without_a_limit_is_none(tree: Tree) -> None:
    tree.member_of("0::/user.slice")
    tree.group("user.slice", memory__max="max", memory__high="max", memory__current="5", cpu__max="max 100000")
    assert tree.memory() is None
    assert tree.cpus() is None


def test_version_2_counts_what_the_kernel_can_drop_as_available(tree: Tree) -> None:
    tree.member_of("0::/box")
    stat = f"anon {GIB}\nfile {3 * GIB}\ninactive_file {GIB}\nactive_file {2 * GIB}\nslab_reclaimable 0"
    tree.group("box", memory__max=str(8 * GIB), memory__current=str(5 * GIB), memory__stat=stat)
    assert tree.memory() == cgroup.Memory(total=8 * GIB, available=6 * GIB)


def test_files_in_memory_alone_cannot_be_dropped(tree: Tree) -> None:
    tree.member_of("0::/box")
    # tmpfs is in `file`, and on neither of the lists of files.
    stat = f"file {3 * GIB}\nshmem {3 * GIB}\ninactive_file 0\nactive_file 0"
    tree.group("box", memory__max=str(8 * GIB), memory__current=str(3 * GIB), memory__stat=stat)
    assert tree.memory() == cgroup.Memory(total=8 * GIB, available=5 * GIB)


def test_a_group_that_is_slowed_down_is_limited(tree: Tree) -> None:
    tree.member_of("0::/box")
    tree.group("box", memory__max="max", memory__high=str(2 * GIB), memory__current="0")
    assert tree.memory() == cgroup.Memory(2 * GIB, 2 * GIB)


def test_the_tightest_limit_on_the_way_up_counts(tree: Tree) -> None:
    tree.member_of("0::/a/b/c")
    tree.group("a/b/c", memory__max="max", memory__current="0", cpu__max="400000 100000")
    tree.group("a/b", memory__max=str(4 * GIB), memory__current=str(GIB), cpu__max="150000 100000")
    # Neighbours have used up most of what the group above may have: more than ours has left of its own.
    tree.group("a", memory__max=str(16 * GIB), memory__current=str(15 * GIB), cpu__max="max 100000")
    assert tree.memory() == cgroup.Memory(total=4 * GIB, available=GIB)
    assert tree.cpus() == 1.5


def test_in_a_container_the_limit_is_at_the_root(tree: Tree) -> None:
    tree.member_of("0::/")
    tree.group(".", memory__max=str(4 * GIB), memory__current="0", cpu__max="50000 100000")
    assert tree.memory() == cgroup.Memory(4 * GIB, 4 * GIB)
    assert tree.cpus() == 0.5


@pytest.mark.parametrize("path", ["/docker/0123", "/../../docker/0123"])
def test_a_path_of_the_host_ends_at_the_root(tree: Tree, path: str) -> None:
    tree.member_of(f"0::{path}")
    tree.group(".", memory__max=str(4 * GIB), memory__current="0")
    assert tree.memory() == cgroup.Memory(4 * GIB, 4 * GIB)


def test_version_1_has_a_tree_for_each_limit(tree: Tree) -> None:
    tree.member_of("9:memory:/box", "3:cpu,cpuacct:/quota", "1:name=systemd:/user")
    stat = f"inactive_file 1\ntotal_inactive_file {GIB}\ntotal_active_file {GIB}"
    tree.group(
        "memory/box", memory__limit_in_bytes=str(4 * GIB), memory__usage_in_bytes=str(3 * GIB), memory__stat=stat
    )
    tree.group("memory", memory__limit_in_bytes=NO_LIMIT_V1, memory__usage_in_bytes=str(9 * GIB))
    tree.group("cpu/quota", cpu__cfs_quota_us="250000", cpu__cfs_period_us="100000")
    tree.group("cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert tree.memory() == cgroup.Memory(total=4 * GIB, available=3 * GIB)
    assert tree.cpus() == 2.5


def test_version_1_without_limits(tree: Tree) -> None:
    tree.member_of("9:memory:/box", "3:cpu:/")
    tree.group("memory/box", memory__limit_in_bytes=NO_LIMIT_V1, memory__usage_in_bytes="5")
    tree.group("cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert tree.memory() is None
    assert tree.cpus() is None


def test_a_machine_may_have_both_versions(tree: Tree) -> None:
    tree.member_of("4:memory:/box", "0::/box")
    tree.group("memory/box", memory__limit_in_bytes=str(8 * GIB), memory__usage_in_bytes="0")
    tree.group("unified/box", memory__max=str(2 * GIB), memory__current="0", cpu__max="100000 100000")
    assert tree.memory() == cgroup.Memory(2 * GIB, 2 * GIB)
    assert tree.cpus() == 1.0


def test_more_used_than_allowed_leaves_nothing(tree: Tree) -> None:
    tree.member_of("0::/box")
    tree.group("box", memory__max=str(GIB), memory__current=str(2 * GIB))
    assert tree.memory() == cgroup.Memory(GIB, 0)


@given(limit=st.text(max_size=20), stat=st.text(max_size=60), quota=st.text(max_size=20), member=st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_the_files_say_nothing_is_raised(tree: Tree, limit: str, stat: str, quota: str, member: str) -> None:
    tree.membership.write_text(f"0::/\n{member}\n", encoding="utf-8")
    for name, text in {"memory.max": limit, "memory.stat": stat, "cpu.max": quota}.items():
        (tree.root / name).write_text(text, encoding="utf-8")
    memory = tree.memory()
    assert memory is None or 0 <= memory.available <= memory.total
    assert tree.cpus() is None or tree.cpus() > 0  # type: ignore[operator]
