from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from pygls.exceptions import JsonRpcException

from lsp_server.errors import BackendUnavailableError
from lsp_server.server import quiet_log

CODE = "total = price * 2"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the program has logged, at level `info`."""
    root = logging.getLogger()
    stream = io.StringIO()
    monkeypatch.setattr(root, "handlers", [logging.StreamHandler(stream)])
    monkeypatch.setattr(root, "level", logging.INFO)
    quiet_log.keep_texts_out()
    yield stream
    logging.Logger.manager._clear_cache()  # type: ignore[attr-defined]


def fail(error: Exception) -> None:
    raise error


def test_arguments_of_others_are_left_out(written: io.StringIO) -> None:
    log = logging.getLogger("pygls.any")
    log.info("Sending data: %s", f'{{"text": "{CODE}"}}')
    log.warning("Unknown message %r", {"text": CODE})
    log.info("Received %s: %s", 5, [CODE])

    assert written.getvalue() == "Sending data: <str>\nUnknown message %r\nReceived 5: <list>\n"


def test_what_is_plain_is_said(written: io.StringIO) -> None:
    logging.getLogger("pygls.any").warning('No %r, "%s" on %s:%d', "textDocument/hover", "a1-b2", "127.0.0.1", 80)

    assert written.getvalue() == "No 'textDocument/hover', \"a1-b2\" on 127.0.0.1:80\n"


@pytest.mark.parametrize("name", ["pygls.any", "lsp_server.any", "asyncio"])
def test_a_failure_is_told_without_its_words(written: io.StringIO, name: str) -> None:
    try:
        try:
            fail(KeyError(CODE))
        except KeyError as error:
            raise ValueError(CODE) from error
    except ValueError as error:
        logging.getLogger(name).exception("It failed: %s", error)
    told = written.getvalue()

    assert CODE not in told
    assert told.startswith("It failed: ")
    assert told.index("\nKeyError\n") < told.index("\nValueError\n")
    assert "in fail\n" in told


def test_our_own_words_stay(written: io.StringIO) -> None:
    try:
        fail(BackendUnavailableError("The engine is not there."))
    except BackendUnavailableError as error:
        logging.getLogger("lsp_server.any").warning("%s", error, exc_info=error)
    logging.getLogger("lsp_server.any").warning("Indexing %s ended: %s", "/a b/c", OSError(28, "No space left"))

    assert "The engine is not there.\n" in written.getvalue()
    assert "Indexing /a b/c ended: OSError: [Errno 28] No space left\n" in written.getvalue()


def test_a_request_that_is_refused_is_a_line(written: io.StringIO) -> None:
    try:
        try:
            fail(BackendUnavailableError("The engine is not there."))
        except BackendUnavailableError as error:
            raise JsonRpcException(str(error), -32803) from error
    except JsonRpcException:
        logging.getLogger("pygls.any").exception('Exception occurred for message "%s"', 5)

    assert written.getvalue() == "Refused: The engine is not there.\n"


def test_what_is_cancelled_when_it_is_answered_is_no_news(written: io.StringIO) -> None:
    logging.getLogger("pygls.any").warning('Cancel notification for unknown message id "%s"', 5)

    assert written.getvalue() == ""


def test_a_text_of_a_traceback_is_made_anew(written: io.StringIO) -> None:
    try:
        fail(ValueError(CODE))
    except ValueError:
        logging.getLogger("pygls.any").error("Unable to deserialize message\n%s", f"Traceback\nValueError: {CODE}")

    assert CODE not in written.getvalue()
    assert "in fail\n" in written.getvalue()
    assert written.getvalue().endswith("ValueError\n")


def test_calls_are_not_written_out(written: io.StringIO) -> None:
    logging.getLogger("asyncio").error("Exception in callback f('%s')\nhandle: <Handle f('%s')>", CODE, CODE)

    assert written.getvalue() == "Exception in callback f\n"


def test_a_circle_of_failures_has_an_end(written: io.StringIO) -> None:
    first, second = ValueError("a"), KeyError("b")
    first.__context__, second.__context__ = second, first
    logging.getLogger("lsp_server.any").error("No", exc_info=first)

    assert written.getvalue() == "No\nKeyError\nValueError\n"
