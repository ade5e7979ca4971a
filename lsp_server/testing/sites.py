"""Where the tests of a file belong, and how they name it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.counterparts import counterpart
from lsp_server.context.workspace import Workspace
from lsp_server.testing.frameworks import Framework, framework_of
from lsp_server.testing.project import Project, project_of


@dataclass(frozen=True, slots=True)
class TestSite:
    """The test file of a file.

    Attributes:
        project: where the tests are run.
        framework: what the tests are written for.
        source: the tested file, absolute.
        path: the test file, absolute; it need not exist. The tested file itself where tests belong into it.
        exists: whether it is there.
        existing: its text; None if it is not there or cannot be read.
        module: how tests name the tested file: dotted for Python, a relative path for the languages that import files.
    """

    project: Project
    framework: Framework
    source: Path
    path: Path
    exists: bool
    existing: str | None
    module: str


def test_site(path: Path, language_id: str, workspace: Workspace) -> TestSite | None:
    """The test file of a file: the one that is there, else where the language's people put it.

    None if no framework is known for the language.
    """
    project = project_of(path, language_id, workspace)
    framework = framework_of(project, language_id)
    if framework is None:
        return None
    target = _test_file(path, project, framework)
    exists = target.is_file()
    text = workspace.read(target) if exists else None
    return TestSite(project, framework, path, target, exists, text, _module(path, target, project, framework))


def _test_file(path: Path, project: Project, framework: Framework) -> Path:
    if not framework.test_file:
        return path
    name = framework.test_file.replace("<stem>", path.stem).replace("<suffix>", path.suffix)
    if framework.name == "bats":
        folders = [folder for folder in ("test", "tests") if (project.root / folder).is_dir()]
        return project.root / (folders[0] if folders else "test") / name
    found = counterpart(path, project.root, ())
    if found is not None and found.suffix == path.suffix:
        return found
    places = list(_folders(path, project, framework))
    # The first that is there, else the last, which is where a new folder may be made.
    place = next((place for place in places if place.is_dir()), places[-1])
    # A folder of that name has the tests of the module in files of their own; Python does not take both.
    among = place / Path(name).stem
    return (among if framework.languages == ("python",) and among.is_dir() else place) / name


def _folders(path: Path, project: Project, framework: Framework) -> Iterator[Path]:
    """Where a new test file may go, the likeliest first; the last one may be a folder that is not there yet."""
    below = path.parent.relative_to(project.folder) if path.is_relative_to(project.folder) else Path()
    parts = below.parts
    if framework.languages == ("python",):
        yield from (project.root / "tests", project.root / "test", path.parent / "tests", path.parent)
    elif framework.languages == ("java",) and "main" in parts:
        at = parts.index("main")
        yield project.folder.joinpath(*parts[:at], "test", *parts[at + 1 :])
    elif framework.name == "RSpec":
        yield project.folder.joinpath("spec", *parts[1:])
    elif framework.name == "PHPUnit":
        if (unit := project.folder / "tests" / "Unit").is_dir():
            yield unit
        yield project.folder.joinpath("tests", *parts[1:])
    elif framework.name == "xUnit":
        yield from sorted(p for p in project.root.glob("*Tests") if p.is_dir())
        yield project.root / "tests"
    elif framework.name == "GoogleTest":
        yield from (project.root / "tests", project.root / "test")
    else:
        # Beside it, as a test file there is found by every runner; where the others are, if there are some.
        for folder in (path.parent / "__tests__", project.folder / "test", project.folder / "tests"):
            if folder.is_dir() and any(re.search(r"\.(test|spec)\.", p.name) for p in folder.iterdir()):
                yield folder
        yield path.parent


def _module(path: Path, test_file: Path, project: Project, framework: Framework) -> str:
    if framework.languages == ("python",):
        return project.module(path)
    relative = Path(os.path.relpath(path, test_file.parent)).as_posix()
    return relative if relative.startswith("../") else f"./{relative}"
