"""The lock files agree with pyproject.toml, name every file by its hash, and no place of their own."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement

from tools import lock
from tools.llama_build import LLAMA_CPP_PYTHON
from tools.lock import Pin, disagreements, read

HASH = f"sha256:{'0' * 64}"


def pins(*lines: str) -> list[Pin]:
    return read("".join(f"{line} \\\n    --hash={HASH}\n" for line in lines))


@pytest.fixture(params=lock.LOCKS)
def text(request: pytest.FixtureRequest) -> str:
    return lock.path(request.param).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", lock.LOCKS)
def test_a_lock_file_agrees_with_pyproject(name: str) -> None:
    locked = read(lock.path(name).read_text(encoding="utf-8"))
    assert disagreements(lock.requirements(lock.pyproject(), name), locked) == []


def test_every_file_is_named_by_its_hash(text: str) -> None:
    hashes = [one for pin in read(text) for one in pin.hashes]
    assert hashes
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)


def test_no_registry_and_no_folder_is_written_down(text: str) -> None:
    assert not re.search(r"://|--index-url|--find-links|^ *-[cr] |/home/|/tmp/", text, re.MULTILINE)


def test_developers_have_what_a_release_has() -> None:
    release, dev = (set(read(lock.path(name).read_text(encoding="utf-8"))) for name in ("release", "dev"))
    assert {(pin.name, pin.version) for pin in release} <= {(pin.name, pin.version) for pin in dev}


def test_the_llama_cpp_of_a_release_is_the_one_that_is_built_here() -> None:
    found = [pin for pin in read(lock.path("release").read_text(encoding="utf-8")) if pin.name == "llama-cpp-python"]
    # It is published as source alone: one file, one hash.
    assert [(pin.version, len(pin.hashes)) for pin in found] == [(LLAMA_CPP_PYTHON, 1)]


def test_a_pin_has_its_marker_and_all_its_hashes() -> None:
    (pin,) = read(f"# of a tool\nNum_py==2.2.6 ; python_version < '3.11' \\\n    --hash={HASH} \\\n    --hash={HASH}\n")
    assert (pin.name, pin.version, pin.hashes) == ("num-py", "2.2.6", (HASH, HASH))
    applies = [pin.applies(environment) for environment in lock.environments()]
    assert applies == [True] * 3 + [False] * 9


def test_a_line_without_a_version_is_none_of_a_lock_file() -> None:
    with pytest.raises(ValueError, match="numpy>=2"):
        read("numpy>=2\n")


@pytest.mark.parametrize(
    ("wanted", "locked", "said"),
    [
        ("numpy>=2", ["numpy==1.26"], "numpy==1.26 is not >=2 on Python 3.10 (linux)"),
        ("numpy", [], "numpy is missing on Python 3.10 (linux)"),
        ("numpy", ["numpy==2.0 ; python_version < '3.13'"], "numpy is missing on Python 3.13 (linux)"),
        ("numpy", ["numpy==2.0 ; sys_platform != 'win32'"], "numpy is missing on Python 3.10 (win32)"),
        ("numpy", ["numpy==2.0", "numpy==2.1"], "numpy is there 2 times on Python 3.10 (linux)"),
    ],
)
def test_what_does_not_agree_is_said(wanted: str, locked: list[str], said: str) -> None:
    assert said in disagreements([Requirement(wanted)], pins(*locked))


def test_what_another_python_needs_is_not_missed_here() -> None:
    wanted = [Requirement("tomli; python_version < '3.11'")]
    assert disagreements(wanted, pins("tomli==2.2 ; python_full_version < '3.11'")) == []


def test_a_version_without_a_hash_is_not_locked() -> None:
    assert disagreements([Requirement("numpy")], read("numpy==2.0\n")) == ["numpy==2.0 has no hash"]
