"""What the image is made of is there. (No image is built here.)"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from lsp_server.cli.main import main

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
LINES = [
    line.strip()
    for line in re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text(encoding="utf-8")).splitlines()
    if line.strip() and not line.startswith("#")
]


def said(instruction: str) -> list[str]:
    return [line.removeprefix(f"{instruction} ") for line in LINES if line.startswith(f"{instruction} ")]


def copied() -> list[str]:
    """What is taken from the folder."""
    return [source for words in said("COPY") if not words.startswith("--from") for source in shlex.split(words)[:-1]]


def test_what_is_copied_is_there_and_all_that_the_package_is_made_of() -> None:
    assert all((ROOT / source).exists() for source in copied())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    needed |= {*wheel["packages"], *wheel["force-include"]}
    assert needed <= set(copied())


def test_nothing_of_the_folder_gets_in_that_is_not_named() -> None:
    assert not {".", "*", "./"} & set(copied())
    assert not said("ADD")


def test_it_does_not_run_as_root_and_has_no_key() -> None:
    last_stage = LINES[max(i for i, line in enumerate(LINES) if line.startswith("FROM ")) :]
    assert "USER shardlight" in last_stage
    assert not any(re.search(r"(?i)token|secret|password|_key", line) for line in LINES)


def test_what_it_starts_is_a_command_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    (entry,), (arguments,) = said("ENTRYPOINT"), said("CMD")[-1:]
    program, *command = re.findall(r'"([^"]*)"', entry + arguments)
    assert program == "shardlight"
    with pytest.raises(SystemExit) as left:
        main([*command, "--help"])
    assert left.value.code == 0
    assert f":{command[command.index('--port') + 1]}/health" in next(line for line in LINES if "HEALTHCHECK" in line)
