from __future__ import annotations

import time

import pytest

from lsp_server.engine.leases import Leases


def test_one_that_was_never_leased_has_no_end() -> None:
    leases = Leases()
    assert leases.clients == 0
    assert leases.ended_at is None


def test_two_of_one_process_are_one_client() -> None:
    leases = Leases()
    with leases.held("7"):
        with leases.held("7"), leases.held("8"):
            assert leases.clients == 2
        assert leases.clients == 1
        assert leases.ended_at is None


def test_the_end_of_the_last_is_remembered_until_another_begins() -> None:
    leases = Leases()
    before = time.monotonic()
    with leases.held("7"):
        pass
    assert leases.clients == 0
    assert leases.ended_at is not None
    assert leases.ended_at >= before
    with leases.held("7"):
        assert leases.ended_at is None


def test_one_that_was_started_by_hand_is_never_out_of_use() -> None:
    leases = Leases(for_editors=False)
    with leases.held("7"):
        assert leases.clients == 1
    assert (leases.clients, leases.ended_at) == (0, None)


def test_one_that_fails_ends() -> None:
    leases = Leases()
    with pytest.raises(RuntimeError), leases.held("7"):
        raise RuntimeError
    assert leases.clients == 0
