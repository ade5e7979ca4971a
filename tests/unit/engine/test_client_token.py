from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lsp_server.engine import client_token, runtime


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of this test's own."""
    monkeypatch.setattr(runtime, "user_state_path", lambda name, appauthor: tmp_path / name)
    return tmp_path


def test_there_is_none_before_somebody_asks() -> None:
    assert client_token.read() == ""


def test_it_stays_the_same() -> None:
    token = client_token.made()

    assert len(token) >= 32
    assert client_token.made() == client_token.read() == token


def test_another_one_takes_its_place() -> None:
    token = client_token.made()
    another = client_token.made(anew=True)

    assert another != token
    assert client_token.read() == another


def test_all_who_ask_first_are_told_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: client_token.made(), range(8)))

    assert set(tokens) == {client_token.read()}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permission bits")
def test_only_the_user_can_read_it() -> None:
    umask = os.umask(0)
    try:
        client_token.made()
    finally:
        os.umask(umask)

    assert client_token.path().stat().st_mode & 0o777 == 0o600
    assert client_token.path().parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff" * 40])
def test_a_damaged_one_is_none_and_is_made_anew(content: bytes) -> None:
    client_token.path().write_bytes(content)

    assert client_token.read() == ""
    assert client_token.made() == client_token.read() != ""


def test_it_is_not_taken_for_an_engine() -> None:
    client_token.made()

    assert runtime.all_running() == []
    assert client_token.read()
