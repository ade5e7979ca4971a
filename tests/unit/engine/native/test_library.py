from __future__ import annotations

import logging

import pytest

from lsp_server.engine.native import library

DEBUG, WARNING, ERROR, GOES_ON = 1, 3, 4, 5


def say(level: int, text: str) -> None:
    """As llama.cpp does, in the middle of a call."""
    library._on_log(level, text.encode(), None)


def test_the_log_goes_to_its_logger_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="llama.cpp"):
        say(WARNING, "half a ")
        say(GOES_ON, "line\n")
        say(ERROR, "failed\n")

    assert [(record.name, record.message) for record in caplog.records] == [
        ("llama.cpp", "half a line"),
        ("llama.cpp", "failed"),
    ]
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]


def test_complaints_are_kept_until_they_are_forgotten() -> None:
    library.forget_complaints()
    say(DEBUG, "chatter")
    say(GOES_ON, " that goes on\n")
    say(WARNING, "careful\n")
    say(ERROR, "failed\n")
    assert library.recent_complaints() == "careful\nfailed"

    library.forget_complaints()
    assert library.recent_complaints() == ""


def test_only_the_latest_complaints_are_kept() -> None:
    library.forget_complaints()
    for i in range(1000):
        say(ERROR, f"failed {i}\n")

    kept = library.recent_complaints().splitlines()
    assert kept[-1] == "failed 999"
    assert len(kept) < 100


def test_bytes_that_are_no_text_do_no_harm() -> None:
    library.forget_complaints()
    library._on_log(ERROR, b"bad \xff byte\n", None)
    assert library.recent_complaints() == "bad \ufffd byte"


def test_what_is_said_of_a_cancelled_step_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="llama.cpp"):
        say(ERROR, "llama_decode: failed to decode, ret = 2\n")
        say(ERROR, "llama_decode: failed to decode, ret = -3\n")

    assert [record.levelno for record in caplog.records] == [logging.DEBUG, logging.ERROR]
