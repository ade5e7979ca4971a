"""Trying tests out: in a copy of the workspace that is thrown away, within limits of time and memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType

from lsp_server.testing.processes import output_of, started
from lsp_server.testing.reports import TestRun
from lsp_server.testing.runners import Job
from lsp_server.testing.shell import PythonShell
from lsp_server.testing.sites import TestSite

# What is larger is not copied.
_MOST_FILES, _MOST_BYTES = 10_000, 200_000_000
# Files and folders with a dot may hold secrets or great histories; these say how tests are run.
_COPIED_ALL_THE_SAME = (".cargo", ".mvn", ".babelrc", ".swcrc", ".mocharc")
_NOT_COPIED = {"venv", "node_modules", "__pycache__"}
# What a build makes, beside the file that says so.
_BUILT = {"target": ("Cargo.toml", "pom.xml"), "build": ("build.gradle", "build.gradle.kts")}
_OPENS_DOORS = re.compile(
    r"(?:^|_)(?:api_?|access_?|private_?|secret_?)?keys?(?:_|$)|token|secret|passw|credential|auth(?!or)|cookie",
    re.IGNORECASE,
)
_ENVIRONMENT = {"CI": "1", "NO_COLOR": "1", "FORCE_COLOR": "0", "COLUMNS": "4000"}


class ProjectBench:
    """A ``TestBench`` that runs the project's own framework.

    The copy is made for the first run and kept for the next, so that what is compiled once stays; leaving the bench
    throws it away.
    """

    def __init__(self, site: TestSite, *, trusted: bool, timeout_s: int, memory_mb: int = 4096) -> None:
        """A bench for a test file.

        Args:
            trusted: whether code of this workspace may be run at all.
            timeout_s: longest run, in seconds.
            memory_mb: how much memory a process of it may take.
        """
        self.site = site
        self._trusted = trusted
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._copy: tuple[Path, Path] | None = None

    async def __aenter__(self) -> ProjectBench:
        """Nothing is copied yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Throw the copy away."""
        if self._scratch is not None:
            await asyncio.to_thread(self._scratch.cleanup)

    async def run(self, files: Mapping[Path, str], names: Iterable[str]) -> TestRun:
        """Run the tests of some names after these files were written into the copy; they are put back afterwards.

        Args:
            files: absolute paths in the workspace → texts; the test file is among them.
        """
        runner = self.site.framework.runner
        if runner is None:
            return TestRun(trouble=f"Shardlight does not run {self.site.framework.name}.")
        if not self._trusted:
            return TestRun(trouble="the workspace is not trusted.")
        copied = await self._copied()
        if isinstance(copied, str):
            return TestRun(trouble=copied)
        job = self._job(*copied, names)
        with _written(_moved(files, *copied)):
            command = await runner(job)
            if isinstance(command, str):
                return TestRun(trouble=command)
            output = await output_of(
                command.arguments,
                cwd=command.folder or job.folder,
                environment={**_surroundings(), **_temporary(job), **command.environment},
                timeout_s=self._timeout_s,
                memory_mb=self._memory_mb,
                writes=(job.scratch, *command.writes),
            )
            if output is None:
                return TestRun(failed={"": f"they did not finish within {self._timeout_s} s"})
            return command.read(output)

    @contextlib.asynccontextmanager
    async def shell(self, files: Mapping[Path, str], lines: range) -> AsyncIterator[PythonShell | None]:
        """A shell with the names of the tested file, after some files were written into the copy.

        Args:
            files: absolute paths in the workspace → texts.
            lines: of the function in the tested file, 1-based.

        None where there is no interpreter for it, or the workspace's code may not be run.
        """
        site, interpreter = self.site, self.site.framework.interpreter
        copied = await self._copied() if interpreter and self._trusted else ""
        if interpreter is None or isinstance(copied, str):
            yield None
            return
        original, copy = copied
        job = self._job(original, copy, ())
        file = copy / site.source.relative_to(original)
        with _written(_moved(files, original, copy)):
            found = await interpreter(job)
            if found is None:
                yield None
                return
            arguments, environment = found
            watched = [site.module, str(file), str(lines.start), str(lines.stop - 1), str(copy)]
            async with started(
                [*arguments, *watched],
                cwd=job.root,
                environment={**_surroundings(), **_temporary(job), **environment},
                memory_mb=self._memory_mb,
                writes=(job.scratch,),
                talks=True,
            ) as process:
                yield PythonShell(process)

    def _job(self, original: Path, copy: Path, names: Iterable[str]) -> Job:
        project = self.site.project.folder
        return Job(
            project=project,
            root=copy,
            folder=copy / project.relative_to(original),
            test_file=copy / self.site.path.relative_to(original),
            names=tuple(names),
            scratch=copy.parent,
        )

    async def _copied(self) -> tuple[Path, Path] | str:
        """What was copied, and its copy; or why there is none."""
        if self._copy is None:
            project = self.site.project
            for folder in dict.fromkeys((project.root, project.folder)):
                if await asyncio.to_thread(_is_large, folder):
                    continue
                self._scratch = tempfile.TemporaryDirectory(prefix="shardlight-", ignore_cleanup_errors=True)
                to = _as_it_is(self._scratch.name) / "workspace"
                try:
                    await asyncio.to_thread(_copy, folder, to)
                except (OSError, shutil.Error) as error:
                    return f"the workspace could not be copied for it ({error})."
                self._copy = (folder, to)
                break
        return self._copy or "the workspace is too large to be copied for it."


def _moved(files: Mapping[Path, str], original: Path, copy: Path) -> dict[Path, str]:
    return {copy / path.relative_to(original): text for path, text in files.items()}


def _surroundings() -> dict[str, str]:
    """The variables that tests have: those of this process without what opens doors."""
    kept = {name: value for name, value in os.environ.items() if not _OPENS_DOORS.search(name)}
    return {**kept, **_ENVIRONMENT}


def _temporary(job: Job) -> dict[str, str]:
    """Variables that name the folder for temporary files: the usual one is outside of the fence."""
    folder = job.scratch / "tmp"
    folder.mkdir(exist_ok=True)
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))


@contextlib.contextmanager
def _written(files: Mapping[Path, str]) -> Iterator[None]:
    """Files as they are to be for a while."""
    before = {path: path.read_bytes() if path.is_file() else None for path in files}
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        yield
    finally:
        for path, content in before.items():
            # What was run may have done anything to them.
            with contextlib.suppress(OSError):
                if content is None:
                    path.unlink(missing_ok=True)
                else:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)


def _as_it_is(folder: str) -> Path:
    """A folder's own path, as programs tell it, also where the one for temporary files is a link."""
    return Path(folder).resolve()


def _is_large(root: Path) -> bool:
    count = size = 0
    for folder, names, files in os.walk(root):
        left_out = _left_out(folder, [*names, *files])
        names[:] = [name for name in names if name not in left_out]
        count += len(files)
        for name in files:
            with contextlib.suppress(OSError):
                size += 0 if name in left_out else (Path(folder) / name).stat().st_size
        if count > _MOST_FILES or size > _MOST_BYTES:
            return True
    return False


def _copy(root: Path, to: Path) -> None:
    """Copy a folder; those for packages of JavaScript as folders of links."""
    modules: list[Path] = []

    def left_out(folder: str, names: list[str]) -> set[str]:
        if "node_modules" in names:
            modules.append(Path(folder) / "node_modules")
        return _left_out(folder, names)

    shutil.copytree(root, to, symlinks=True, ignore=left_out)
    for found in modules:
        # A link may lead to nothing, or to itself.
        if found.is_dir():
            _link_modules(found, to / found.relative_to(root))


def _left_out(folder: str, names: list[str]) -> set[str]:
    there = set(names)
    hidden = {n for n in there if n.startswith(".") and not n.startswith(_COPIED_ALL_THE_SAME)}
    built = {name for name, beside in _BUILT.items() if name in there and there.intersection(beside)}
    return hidden | built | (there & _NOT_COPIED)


def _link_modules(modules: Path, to: Path) -> None:
    """Links to packages: what a runner keeps beside them, such as a cache, does not get into the project."""
    to.mkdir()
    for entry in modules.iterdir():
        if entry.name.startswith("@") and entry.is_dir():
            (to / entry.name).mkdir()
            for package in entry.iterdir():
                (to / entry.name / package.name).symlink_to(package)
        elif entry.name == ".bin" or not entry.name.startswith("."):
            (to / entry.name).symlink_to(entry)
