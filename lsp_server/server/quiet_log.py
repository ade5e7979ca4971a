"""What the language server's log leaves out: the texts of documents, and what is no news.

pygls logs whole messages, and what a program fails with may quote what it was given. So at every level but ``debug``
a record of another package says of its arguments no more than of what type they are, unless they are plain; and of an
exception where it was raised and what it is, but not its words. A request that is refused is a line, since the user is
told why, and one that is cancelled when its answer is on its way is none: both happen in good working order.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import sys
import traceback
from itertools import chain

from pygls.exceptions import JsonRpcException

from lsp_server.errors import ShardlightError

# What names of methods and features, ids and versions look like, and no message does.
_PLAIN = re.compile(r"[\w$./:-]{1,60}")
# Their words are ours, the system's or the database's, and name files at most.
_KNOWN = (ShardlightError, OSError, sqlite3.Error)
_CANCELLED_LATE = "Cancel notification for unknown message id"


def keep_texts_out() -> None:
    """Have every handler of the program's log leave texts out; not at level ``debug``, which asks for everything."""
    root = logging.getLogger()
    if root.isEnabledFor(logging.DEBUG):
        return
    for handler in root.handlers:
        handler.addFilter(_without_texts)


def _without_texts(record: logging.LogRecord) -> bool:
    """A filter that lets through what is news, and changes it."""
    if record.name.startswith("pygls") and str(record.msg).startswith(_CANCELLED_LATE):
        return False
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, JsonRpcException) and isinstance(error.__cause__, ShardlightError):
        record.msg, record.args = "Refused: %s", (error.__cause__,)
        record.exc_info = record.exc_text = None
        return True
    arguments = record.args if isinstance(record.args, tuple) else ()
    if record.name.startswith("lsp_server"):
        record.args = tuple(_named(one) if isinstance(one, BaseException) else one for one in arguments)
    else:
        record.args = tuple(map(_said, arguments))
        if record.name == "asyncio":
            # It writes calls out, with what they are given.
            record.msg, record.args = re.split(r"[\n(]", record.getMessage(), maxsplit=1)[0], ()
        if record.levelno >= logging.ERROR:
            # pygls makes texts of tracebacks itself.
            error = error or sys.exc_info()[1]
    if error is not None:
        record.exc_info, record.exc_text = None, _where(error)
    return True


def _said(argument: object) -> object:
    """An argument, if it is plain, or of what type it is."""
    if isinstance(argument, (int, float)) or (isinstance(argument, str) and _PLAIN.fullmatch(argument)):
        return argument
    if isinstance(argument, BaseException):
        return _named(argument)
    return f"<{type(argument).__name__}>"


def _named(error: BaseException) -> str:
    name = type(error).__qualname__
    return f"{name}: {error}" if isinstance(error, _KNOWN) else name


def _where(error: BaseException) -> str:
    """A traceback without an exception's words; those that led to it come first."""
    errors = [error]
    while (before := errors[-1].__cause__ or errors[-1].__context__) is not None and before not in errors:
        errors.append(before)
    parts = ((*traceback.format_tb(one.__traceback__), f"{_named(one)}\n") for one in reversed(errors))
    return "".join(chain.from_iterable(parts)).rstrip()
