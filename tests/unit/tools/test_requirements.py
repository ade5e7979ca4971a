"""What a machine is told that it lacks."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from tools.requirements import Machine, find_missing, has_compiler


def machine(
    system: str = "Linux",
    python: tuple[int, int] = (3, 11),
    environ: Mapping[str, str] | None = None,
    modules: Collection[str] = ("venv", "ensurepip"),
    programs: Collection[str] = ("cc", "c++"),
    succeeding: Collection[str] = (),
) -> Machine:
    """A machine that has just what is said."""
    return Machine(
        system=system,
        python=python,
        environ=environ or {},
        has_module=lambda name: name in modules,
        which=lambda name: f"/usr/bin/{name}" if name in programs else None,
        succeeds=lambda command: command[0] in succeeding,
    )


def text_of(machine: Machine, *, venv: bool = True, compiler: bool = True) -> str:
    missing = find_missing(machine, venv=venv, compiler=compiler)
    return "\n".join([one.what + "\n" + "\n".join(one.remedies) for one in missing])


def test_nothing_is_missing_on_a_complete_machine() -> None:
    assert find_missing(machine(), venv=True, compiler=True) == []


@pytest.mark.parametrize("version", [(3, 8), (3, 9), (2, 7)])
def test_an_old_python(version: tuple[int, int]) -> None:
    text = text_of(machine(python=version))
    assert "Python 3.10 or newer is needed; this is Python {}.{}.".format(*version) in text
    assert "apt install python3" in text
    assert "make PYTHON=" in text


@pytest.mark.parametrize("version", [(3, 10), (3, 13), (4, 0)])
def test_a_new_python(version: tuple[int, int]) -> None:
    assert find_missing(machine(python=version), venv=True, compiler=True) == []


@pytest.mark.parametrize("modules", [(), ("venv",), ("ensurepip",)])
def test_a_python_whose_venv_is_packaged_apart(modules: Collection[str]) -> None:
    text = text_of(machine(modules=modules))
    assert "ensurepip" in text
    assert "apt install python3-venv" in text


@pytest.mark.parametrize(
    ("system", "remedy"),
    [("Linux", "apt install g++"), ("Linux", "dnf install gcc-c++"), ("Darwin", "xcode-select --install")],
)
def test_no_compiler(system: str, remedy: str) -> None:
    assert remedy in text_of(machine(system=system, programs=()))


def test_no_compiler_on_windows() -> None:
    assert "winget install Microsoft.VisualStudio" in text_of(machine(system="Windows", programs=()))


def test_what_is_not_needed_is_not_asked_for() -> None:
    bare = machine(modules=(), programs=())
    assert find_missing(bare, venv=False, compiler=False) == []
    assert "compiler" not in text_of(bare, compiler=False)
    assert "ensurepip" not in text_of(bare, venv=False)


def test_everything_that_is_missing_is_said_at_once() -> None:
    assert len(find_missing(machine(python=(3, 9), modules=(), programs=()), venv=True, compiler=True)) == 3


@pytest.mark.parametrize(
    ("programs", "environ", "expected"),
    [
        (("gcc", "g++"), {}, True),
        (("clang", "clang++"), {}, True),
        (("cc",), {}, False),
        (("c++",), {}, False),
        (("cc", "c++"), {"CXX": "g++-13"}, False),
        (("cc", "g++-13"), {"CXX": "g++-13 -m64"}, True),
        (("gcc-13", "c++"), {"CC": "gcc-13", "CXX": ""}, True),
    ],
)
def test_compilers_on_linux(programs: Collection[str], environ: Mapping[str, str], expected: bool) -> None:
    assert has_compiler(machine(programs=programs, environ=environ)) is expected


def test_on_macos_a_compiler_without_the_command_line_tools_is_none() -> None:
    assert not has_compiler(machine(system="Darwin", programs=("cc", "c++")))
    assert has_compiler(machine(system="Darwin", programs=("cc", "c++"), succeeding=("/usr/bin/xcode-select",)))


def test_here_is_a_machine_that_can_run_the_tests() -> None:
    assert find_missing(Machine.here(), venv=False, compiler=False) == []
