"""Run by the judge's own Python, in a throw-away copy of a project: its tests, with limits; never imported.

``record OUT SOURCES TESTS``: which test runs which lines, as JSON. ``test SECONDS ID …``: exit code 0 if all pass.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MOST_BYTES = 2 << 30
_MOST_FILE_BYTES = 64 << 20


def limit(seconds: int) -> None:
    """What a filled hole makes the code do must not take the machine along. Some systems know no such limits."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_FILE_BYTES, _MOST_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def record(out: Path, sources: Path, tests: str) -> None:
    """Run all tests, and write down the lines of each that passes."""
    import pytest

    # Only the judge's environment has it.
    measured = importlib.import_module("coverage").Coverage(data_file=None, config_file=False, source=[str(sources)])

    class Recorder:
        """A plugin of pytest: each test is a context."""

        def __init__(self) -> None:
            self.seconds: dict[str, float] = {}
            self.failed: set[str] = set()

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
            measured.switch_context(item.nodeid)
            yield
            measured.switch_context("")

        def pytest_runtest_logreport(self, report: Any) -> None:
            self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
            if report.outcome != "passed":
                self.failed.add(report.nodeid)

    recorder = Recorder()
    measured.start()
    pytest.main(["-q", "-p", "no:cacheprovider", "--continue-on-collection-errors", tests], plugins=[recorder])
    measured.stop()
    data = measured.get_data()
    lines = {
        Path(name).relative_to(Path.cwd()).as_posix(): {
            line: sorted({test for test in contexts if test and test not in recorder.failed})
            for line, contexts in data.contexts_by_lineno(name).items()
        }
        for name in data.measured_files()
    }
    out.write_text(json.dumps({"seconds": recorder.seconds, "lines": lines}), encoding="utf-8")


def test(seconds: int, ids: list[str]) -> int:
    """Run some tests."""
    import pytest

    limit(seconds)
    return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--no-header", *ids]))


if __name__ == "__main__":
    if sys.argv[1] == "record":
        record(Path(sys.argv[2]), Path(sys.argv[3]).resolve(), sys.argv[4])
    else:
        sys.exit(test(int(sys.argv[2]), sys.argv[3:]))
