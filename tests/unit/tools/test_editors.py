"""How the editors of ``tests/editors`` are got, without getting any."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.editors import __main__ as editors
from tools.editors import npm
from tools.editors.fetching import NotHereError, complete, write_program


def nowhere(_folder: Path) -> Path:
    raise NotHereError("it is sold out")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, str]]:
    """The environments that the tests were run in; there are two editors, of which one cannot be had."""
    environments: list[dict[str, str]] = []

    def run(_command: list[str], *, env: dict[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        environments.append(env)
        return subprocess.CompletedProcess([], 5)

    monkeypatch.setattr(editors, "VARIABLES", {"SHARDLIGHT_ED": lambda folder: folder / "ed", "SHARDLIGHT_EX": nowhere})
    monkeypatch.setattr(editors.subprocess, "run", run)
    monkeypatch.setattr(npm, "modules", lambda _folder, package: package)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    return environments


def test_what_cannot_be_had_is_said_and_the_others_are_tested(
    told: list[dict[str, str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert editors.main([]) == 5
    assert told[0]["SHARDLIGHT_ED"] == str(tmp_path / "shardlight" / "editors" / "ed")
    assert "SHARDLIGHT_EX" not in told[0]
    assert "SHARDLIGHT_EX: not here (it is sold out)" in capfd.readouterr().err


def test_in_ci_all_have_to_be_had(
    told: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    assert editors.main([]) == 1
    assert told == []
    assert "there is no SHARDLIGHT_EX." in capfd.readouterr().err


def test_what_is_named_already_is_not_fetched(told: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("SHARDLIGHT_EX", "/usr/bin/ex")
    assert editors.main([]) == 5
    assert told[0]["SHARDLIGHT_EX"] == "/usr/bin/ex"


def test_a_folder_is_filled_once_for_each_version(tmp_path: Path) -> None:
    place, filled = tmp_path / "thing", []

    def fill(version: str, *, fails: bool = False) -> None:
        with complete(place, version) as missing:
            if missing:
                filled.append(version)
                (place / version).touch()
                if fails:
                    raise NotHereError

    with pytest.raises(NotHereError):
        fill("1", fails=True)
    for version in ("1", "1", "2"):
        fill(version)
    assert filled == ["1", "1", "2"]
    assert not (place / "1").exists()


def test_a_program_gets_its_arguments_and_variables(tmp_path: Path) -> None:
    start = tmp_path / "start"
    write_program(start, ["/bin/sh", "-c", 'echo "$A_THING" "$@"', "sh", "one two"], {"A_THING": "it's here"})
    assert (
        subprocess.run([start, "three"], capture_output=True, text=True, check=True).stdout
        == "it's here one two three\n"
    )


def test_modules_are_those_of_the_lock_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[str, ...]] = []

    def run(_folder: Path, *arguments: str, cwd: Path) -> None:
        asked.append(arguments)
        (cwd / "node_modules").mkdir(exist_ok=True)
        (cwd / "node_modules" / ".package-lock.json").touch()

    monkeypatch.setattr(npm, "_npm", run)
    lock = tmp_path / "package-lock.json"
    lock.touch()
    for _ in range(2):
        npm.modules(tmp_path, tmp_path)
    assert asked == [("ci",)]
    (tmp_path / "node_modules" / ".package-lock.json").unlink()
    npm.modules(tmp_path, tmp_path)
    assert asked == [("ci",)] * 2
