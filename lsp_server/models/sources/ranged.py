"""A file over HTTP that goes on where it stopped: after a cut line, a cancel, a full disk, or kill -9."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
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
        try:
            _append(session, url, headers, part, done, size, monitor, target.name)
        except ShardlightError:
            raise
        except Exception as error:
            failures = 0 if _length(part) > done else failures + 1
            if is_disk_full(error) or not _may_pass(error) or failures > len(RETRY_DELAYS_S):
                raise
            _wait(_delay(error, failures), monitor)
    part.replace(target)


def _append(
    session: Any, url: str, headers: Mapping[str, str], part: Path, done: int, size: int, monitor: Monitor, name: str
) -> None:
    """One request for what is missing, written as it comes."""
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    # Compressed answers have other lengths than the file has.
    wanted = {**headers, "Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with session.stream("GET", url, headers=wanted, follow_redirects=True) as response:
        if response.status_code == _RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            return
        if response.status_code >= 400:
            response.read()
        hf_raise_for_status(response)
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
