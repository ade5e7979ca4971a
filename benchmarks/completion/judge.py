"""Tests as judges: which of them see a line, and whether they pass with a file's text exchanged.

They run in a virtual environment and a throw-away copy of the project, with limits. What a model has filled in is
run there as it is: code that deletes files or starts programs is no place for holes (``holes.dangerous``).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.completion.projects import Project, cache

_REQUIREMENTS = ("pytest==9.2.0", "coverage==7.17.4", "hypothesis==6.170.17", "freezegun==1.5.5", "markupsafe==3.0.4")
_SCRIPT = Path(__file__).with_name("in_judge.py")
_MOST_S = 20
_RECORDING_S = 900
_MOST_TESTS = 12
_SLOW_S = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Which tests see which lines of a project.

    Attributes:
        seconds: of each test.
        lines: by file and line (from 1): the tests that pass and run it.
        breadth: by file and test: how many of its lines the test runs.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[int, tuple[str, ...]]]
    breadth: dict[str, Counter[str]]

    def tests(self, path: str, first: int, last: int) -> tuple[str, ...]:
        """The tests that run one of the lines, those first that run the least besides: at most a dozen quick ones."""
        lines = self.lines.get(path, {})
        found = {test for line in range(first, last + 1) for test in lines.get(line, ())}
        quick = [test for test in found if self.seconds.get(test, 0.0) < _SLOW_S and test.isprintable()]
        return tuple(sorted(quick, key=lambda test: (self.breadth[path][test], test))[:_MOST_TESTS])


class Judge:
    """Runs tests. It may be used from several threads.

    Raises:
        RuntimeError: the environment could not be made.
    """

    def __init__(self) -> None:
        self._python = _environment()

    def seen(self, project: Project) -> Seen:
        """Which tests see which lines; found out once, and kept."""
        kept = cache() / "seen" / f"{project.root.name}.json"
        if not kept.exists():
            print(f"{project.name}: which tests run which lines …", file=sys.stderr)
            kept.parent.mkdir(exist_ok=True)
            with _copy(project) as root:
                out = root / "seen.json"
                self._run(project, root, ["record", str(out), project.sources, project.tests], _RECORDING_S)
                if not out.exists():
                    raise RuntimeError(f"The tests of {project.name} did not run to their end.")
                shutil.copy(out, kept.with_suffix(".tmp"))
            kept.with_suffix(".tmp").replace(kept)
        told = json.loads(kept.read_text(encoding="utf-8"))
        lines = {
            path: {int(line): tuple(tests) for line, tests in by_line.items()}
            for path, by_line in told["lines"].items()
        }
        breadth = {
            path: Counter(test for tests in by_line.values() for test in tests) for path, by_line in lines.items()
        }
        return Seen(told["seconds"], lines, breadth)

    def passes(self, project: Project, path: str, text: str, tests: Sequence[str]) -> bool:
        """Whether all the tests pass with that text in the file."""
        with _copy(project) as root:
            (root / path).write_text(text, encoding="utf-8", newline="")
            return self._run(project, root, ["test", str(_MOST_S), *tests], _MOST_S) == 0

    def _run(self, project: Project, root: Path, arguments: Sequence[str], seconds: float) -> int:
        environ = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(root),
            "PYTHONPATH": os.pathsep.join([str(root / project.path), str(root)]),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        process = subprocess.Popen(
            [str(self._python), str(_SCRIPT), *arguments],
            cwd=root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return -1
        finally:
            _end(process)


@contextmanager
def _copy(project: Project) -> Iterator[Path]:
    """A throw-away copy of a project's folder."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root = Path(folder).resolve() / project.name
        shutil.copytree(project.root, root, ignore=shutil.ignore_patterns("__pycache__"))
        yield root


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that was given a session of its own, and what it has started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment() -> Path:
    """The Python of an environment with pytest; made at the first use."""
    folder = cache() / "judge"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "requirements.txt"
    wanted = "\n".join(_REQUIREMENTS)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print("making the judge's environment …", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", *_REQUIREMENTS], capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"pip did not install the judge's tools: {done.stderr.strip()[-300:]}")
        stamp.write_text(wanted, encoding="utf-8")
    return python
