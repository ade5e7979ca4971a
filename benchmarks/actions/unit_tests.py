"""Unit tests for functions of public Python packages: which get one that passes and notices a small bug.

Ours against the same model asked once, whose answer is taken as it is. Both are run where a user's would be: with the
package's own root as the workspace. A test counts if it passes; of its function's mutants
(`benchmarks/actions/mutants.py`, five at most) it kills those with which it no longer does.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

from benchmarks.actions.mutants import mutants
from benchmarks.completion.projects import PROJECTS, Project, cache, lay_out
from benchmarks.completion.scoring import parses, ratio
from benchmarks.results import write_markdown
from lsp_server.context.related import related_files
from lsp_server.context.workspace import Workspace
from lsp_server.errors import RefusedError, ShardlightError
from lsp_server.features.guided import Guide
from lsp_server.features.postprocess.code import strip_answer
from lsp_server.features.types import Target, Tools, find_target
from lsp_server.features.unit_tests import write_unit_tests
from lsp_server.inference.backend import Message
from lsp_server.inference.roles import RoleBackend
from lsp_server.inference.sources import engine_spec
from lsp_server.models.store import store_from
from lsp_server.prompting.catalog import PromptCatalog, shipped_directory
from lsp_server.settings.schema import Settings
from lsp_server.syntax.scopes import FunctionScope, functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.test_cases import test_cases
from lsp_server.testing.bench import ProjectBench
from lsp_server.testing.rates import wilson
from lsp_server.testing.sites import TestSite, test_site
from lsp_server.text.edits import apply_edits

_PACKAGES = ("boltons", "cachetools", "click", "itsdangerous", "jinja2", "mistune", "sqlparse", "toolz")
_MUTANTS = 5
_LINES = range(4, 41)
_PLAIN_TOKENS = 600
# With some of the mutants a test does not end.
_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Side:
    """What one way came to: tests written, those that pass, mutants that these kill, seconds, and a word on it."""

    written: int
    passing: int
    killed: int
    seconds: float
    said: str = ""

    @property
    def good(self) -> bool:
        """Whether there is a test that passes and notices something."""
        return self.killed > 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Both ways, on one function with so many mutants."""

    where: str
    mutants: int
    ours: Side
    plain: Side


@dataclass(frozen=True, slots=True)
class _Chosen:
    project: Project
    path: Path
    snapshot: Snapshot
    scope: FunctionScope
    mutated: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{self.project.name}/{self.path.relative_to(self.project.root).as_posix()}:{self.scope.name}"


async def run(model: str, count: int, seed: int, *, resume: bool) -> list[Outcome]:
    """So many functions; each outcome is kept as soon as it is there."""
    kept = cache() / "answers" / model.replace("/", "_") / f"unit-tests-{seed}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    known: dict[str, Outcome] = {}
    if resume and kept.is_file():
        known = {one.where: one for line in kept.read_text(encoding="utf-8").splitlines() if (one := _read(line))}
    settings = Settings()
    settings = replace(settings, models=replace(settings.models, completion=model, assistant=model))
    store = store_from(settings.models.directory, registry_mirror=False)
    backend = RoleBackend(lambda: engine_spec(settings, store, "assistant"), lambda _fraction: None)
    tools = Tools(backend, PromptCatalog(shipped_directory()))
    outcomes: list[Outcome] = []
    try:
        for chosen in sample(count, seed):
            outcome = known.get(chosen.where) or await _measured(chosen, tools)
            outcomes.append(outcome)
            if chosen.where not in known:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(outcome)) + "\n")
    finally:
        await backend.aclose()
    return outcomes


def _read(line: str) -> Outcome:
    data = json.loads(line)
    return Outcome(**{**data, "ours": Side(**data["ours"]), "plain": Side(**data["plain"])})


def sample(count: int, seed: int) -> list[_Chosen]:
    """So many public functions and methods of the packages, each of another place, for which there are mutants."""
    choice = random.Random(seed)
    places: list[tuple[Project, str]] = []
    for project in PROJECTS:
        if project.name in _PACKAGES:
            lay_out(project)
            places += [(project, path) for path in project.files() if not _is_private(project, path)]
    found: list[_Chosen] = []
    while len(found) < count:
        project, path = choice.choice(places)
        snapshot = Snapshot.open(project.read(path), "python")
        taken = {one.where for one in found}
        fitting = [
            scope
            for scope in functions(snapshot)
            if not scope.name.startswith("_")
            and len(scope.indentation) <= 4 * bool(scope.class_name)
            and snapshot.text.count("\n", scope.start, scope.end) + 1 in _LINES
        ]
        if not fitting:
            continue
        scope = choice.choice(fitting)
        edits = [mutant.edit for mutant in mutants(snapshot, scope, choice)[:_MUTANTS]]
        mutated = tuple(apply_edits(snapshot.text, [edit]) for edit in edits)
        one = _Chosen(project, project.root / path, snapshot, scope, mutated)
        if mutated and one.where not in taken:
            found.append(one)
    return found


def _is_private(project: Project, path: str) -> bool:
    """Whether a module is the package's own affair (or, as some of them, only there on Windows)."""
    parts = PurePosixPath(path).relative_to(project.sources).with_suffix("").parts
    return any(part.startswith("_") and part != "__init__" for part in parts)


async def _measured(chosen: _Chosen, tools: Tools) -> Outcome:
    workspace = Workspace((chosen.project.root,), lambda _path: None)
    relative = PurePosixPath(chosen.path.relative_to(chosen.project.root).as_posix())
    target = find_target(chosen.snapshot, chosen.scope.start + 1, relative)
    related = related_files(chosen.snapshot, chosen.path, workspace, used_in=target.code)
    target = replace(target, related=related)
    site = test_site(chosen.path, "python", workspace)
    if site is None:
        raise RuntimeError("no framework is known for Python")
    async with ProjectBench(site, trusted=True, timeout_s=_TIMEOUT_S) as bench:
        ours = await _ours(chosen, target, bench, replace(tools, bench=bench))
        plain = await _plainly(chosen, target, bench, tools)
    return Outcome(chosen.where, len(chosen.mutated), ours, plain)


async def _ours(chosen: _Chosen, target: Target, bench: ProjectBench, tools: Tools) -> Side:
    begun = time.monotonic()
    try:
        edit = await write_unit_tests(target, tools)
    except RefusedError as refusal:
        return Side(0, 0, 0, time.monotonic() - begun, str(refusal))
    seconds = time.monotonic() - begun
    text = apply_edits(edit.before, edit.edits)
    old = {case.name for case in test_cases(Snapshot.open(edit.before, "python"))}
    names = [case.name for case in test_cases(Snapshot.open(text, "python")) if case.name not in old]
    return await _judged(chosen, bench.site, text, names, seconds, edit.notes[0])


async def _plainly(chosen: _Chosen, target: Target, bench: ProjectBench, tools: Tools) -> Side:
    begun = time.monotonic()
    question = (
        f"Write pytest unit tests for `{target.name}` from the module `{bench.site.module}`. "
        f"Answer with a whole test file.\n\n```python\n{target.code}```"
    )
    guide = Guide(tools, (Message("user", question),), phase="")
    try:
        await guide.fill(stop=(), max_tokens=_PLAIN_TOKENS)
    except ShardlightError as error:
        return Side(0, 0, 0, time.monotonic() - begun, str(error))
    seconds = time.monotonic() - begun
    text = _whole_lines(strip_answer(guide.answer))
    names = [case.name for case in test_cases(Snapshot.open(text, "python"))]
    # Not into the file of ours, nor into the package's own.
    site = replace(bench.site, path=bench.site.path.with_name(f"test_plain_{bench.site.path.stem}.py"))
    return await _judged(chosen, site, text, names, seconds)


def _whole_lines(text: str) -> str:
    """As much from the start as Python takes: whoever pastes an answer that was cut off does without its end."""
    lines = text.splitlines(keepends=True)
    while lines and not parses("".join(lines)):
        lines.pop()
    return "".join(lines)


async def _judged(
    chosen: _Chosen, site: TestSite, text: str, names: Sequence[str], seconds: float, said: str = ""
) -> Side:
    """Run the tests, and those that pass with each mutant."""
    async with ProjectBench(site, trusted=True, timeout_s=_TIMEOUT_S) as bench:
        # All of the file: an answer may have put its tests into classes.
        run = await bench.run({site.path: text}, ()) if names else None
        passing = [name for name in names if run and name in run.passed]
        killed = 0
        for mutated in chosen.mutated if passing else ():
            with_bug = await bench.run({site.path: text, site.source: mutated}, ())
            killed += any(name not in with_bug.passed for name in passing)
    return Side(len(names), len(passing), killed, seconds, said)


def report(outcomes: Sequence[Outcome], command: str) -> None:
    """Write the table."""
    count = len(outcomes)
    mutants_in_all = sum(one.mutants for one in outcomes)
    lines = [
        f"{count} public functions and methods of {', '.join(_PACKAGES)},",
        f"with {mutants_in_all} mutants, five at most for each. Good: a passing test kills a mutant.",
        "",
        "| | good | with a passing test | passing tests | mutants killed | seconds, median |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, sides in (("Shardlight", [o.ours for o in outcomes]), ("asked once", [o.plain for o in outcomes])):
        good, some = wilson(sum(s.good for s in sides), count), wilson(sum(s.passing > 0 for s in sides), count)
        seconds = sorted(side.seconds for side in sides)[count // 2]
        lines.append(
            f"| {name} | {good.value:.0%} ({good.low:.0%} to {good.high:.0%}) | {some.value:.0%} "
            f"| {sum(s.passing for s in sides)} | {sum(s.killed for s in sides)} | {seconds:.0f} |"
        )
    times = ratio([o.ours.good for o in outcomes], [o.plain.good for o in outcomes])
    lines += ["", f"{times.value:.2f} times as many functions ({times.low:.2f} to {times.high:.2f}, paired)."]
    write_markdown("actions-unit-tests", command, lines)
