"""A file over HTTP that goes on where it stopped: after a cut line, a cancel, a full disk, or kill -9.

Or only its beginning: as many bytes as are asked for, whatever the server would send.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from lsp_server.errors import ShardlightError
from lsp_server.models.files import is_disk_full
from lsp_server.models.transfer import Monitor, Transfer

# Seconds to wait before the next try, as long as no try brings a byte; afterwards it is given up.
RETRY_DELAYS_S: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
_LONGEST_WAIT_S = 60.0
_REPORT_BYTES = 1 << 20
_PASSING_STATUS = {408, 429, 500, 502, 503, 504}
_RANGE_NOT_SATISFIABLE = 416


def fetch(session: Any, url: str, headers: Mapping[str, str], target: Path, size: int, monitor: Monitor) -> None:
    """Fetch ``url`` into ``target``; what has arrived before stands in ``<target>.part`` and is not fetched again.

    Args:
        session: huggingface_hub's HTTP client.
        size: of the whole file, in bytes.
        monitor: told about every piece; asked whether to stop between them.

    Raises:
        DownloadError: cancelled; what has arrived is kept.
        HfHubHTTPError: the server refuses, or goes on being busy.
        OSError: the file cannot be written.
        Exception: from the HTTP client, when the line stays cut.
    """
    part = target.with_name(f"{target.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while (done := _length(part)) != size:
        if done > size:
            part.unlink()
            continue
        request = partial(_append, session, url, headers, part, done, size, monitor, target.name)
        failures = _try(request, partial(_length, part), failures, monitor)
    part.replace(target)


class Beginning:
    """The first bytes of a file, in memory; ``received`` counts what came over the line for them.

    Args:
        session: huggingface_hub's HTTP client.
    """

    def __init__(self, session: Any, url: str, headers: Mapping[str, str]) -> None:
        self.data = bytearray()
        self.received = 0
        self._session = session
        self._url = url
        self._headers = headers

    def extend(self, end: int, monitor: Monitor) -> None:
        """Fetch what is missing of the first ``end`` bytes, of which the file must have as many.

        Raises: as ``fetch``; EOFError: the file is shorter.
        """
        failures = 0
        while len(self.data) < end:
            failures = _try(partial(self._request, end, monitor), lambda: len(self.data), failures, monitor)

    def _request(self, end: int, monitor: Monitor) -> None:
        start = len(self.data)
        with _answer(self._session, self._url, self._headers, f"bytes={start}-{end - 1}") as response:
            _refuse_errors(response)
            at = start if response.status_code == 206 else 0
            for chunk in response.iter_bytes():
                monitor.check()
                self.received += len(chunk)
                # A server that knows no ranges begins anew, and would go on to the end of the file.
                self.data += chunk[len(self.data) - at : end - at]
                at += len(chunk)
                if at >= end:
                    return
        raise EOFError(f"the answer ended at byte {at} of {end}")


def _try(request: Callable[[], object], length: Callable[[], int], failures: int, monitor: Monitor) -> int:
    """One request of several; returns how many have failed in a row without bringing a byte.

    Raises:
        Exception: the request's, when another one is no use.
    """
    before = length()
    try:
        request()
    except ShardlightError:
        raise
    except Exception as error:
        failures = 0 if length() > before else failures + 1
        if is_disk_full(error) or not _may_pass(error) or failures > len(RETRY_DELAYS_S):
            raise
        _wait(_delay(error, failures), monitor)
    return failures


def _append(
    session: Any, url: str, headers: Mapping[str, str], part: Path, done: int, size: int, monitor: Monitor, name: str
) -> None:
    """One request for what is missing, written as it comes."""
    with _answer(session, url, headers, f"bytes={done}-" if done else "") as response:
        if response.status_code == _RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            return
        _refuse_errors(response)
        resumed = response.status_code == 206
        with part.open("ab" if resumed else "wb") as file:
            done = reported = done if resumed else 0
            # Pieces as they come: collecting them would lose what was collected when the line is cut.
            for chunk in response.iter_bytes():
                file.write(chunk)
                done += len(chunk)
                if done - reported >= _REPORT_BYTES or done == size:
                    reported = done
                    monitor.report(Transfer(name, done, size, "download"))
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def _answer(session: Any, url: str, headers: Mapping[str, str], wanted: str) -> Iterator[Any]:
    """The answer to a request for a range ("" for the whole file), to be read as it comes."""
    # Compressed answers have other lengths than the file has.
    said = {**headers, "Accept-Encoding": "identity"} | ({"Range": wanted} if wanted else {})
    with session.stream("GET", url, headers=said, follow_redirects=True) as response:
        yield response


def _refuse_errors(response: Any) -> None:
    """Raise HfHubHTTPError for an answer that says no, with its reason."""
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    if response.status_code >= 400:
        response.read()
    hf_raise_for_status(response)


def _may_pass(error: Exception) -> bool:
    """Whether another try can succeed: a cut line, a busy server; not a refusal."""
    from huggingface_hub.errors import HfHubHTTPError

    return not isinstance(error, HfHubHTTPError) or error.response.status_code in _PASSING_STATUS


def _delay(error: Exception, failures: int) -> float:
    """Seconds to wait: what the server asks for, else longer each time."""
    response = getattr(error, "response", None)
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    if asked.isdecimal():
        return min(float(asked), _LONGEST_WAIT_S)
    return RETRY_DELAYS_S[max(failures - 1, 0)]


def _wait(seconds: float, monitor: Monitor) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        monitor.check()
        time.sleep(min(left, 0.1))


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
