"""Documentation of functions of public packages, in eight languages, asked for as an editor would."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.actions.sources import Function, sample
from benchmarks.actions.window import RefusedActionError, window
from benchmarks.completion.projects import cache
from benchmarks.results import write_markdown
from lsp_server.features.docstring.documentation import wanted
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.scopes import FunctionScope, functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.testing.rates import wilson

# What a documentation of a function with parameters has in each language.
_STYLE = {
    "python": r"^\s*(?:Args:|Parameters\n\s*-{3,}|:param )",
    "typescript": r"^\s*\* @param ",
    "javascript": r"^\s*\* @param ",
    "java": r"^\s*\* @param ",
    "kotlin": r"^\s*\* @param ",
    "php": r"^\s*\* @param \S+ .*\$\w",
    "cpp": r"^\s*\* [@\\]param ",
    "go": r"^//   - ",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one function.

    Attributes:
        refused: the reason; empty if it was documented.
        broken: whether the file had more syntax errors afterwards.
        outside: whether all else is as it was, byte for byte.
        named: how many of ``parameters`` the documentation names.
        styled: whether it has the language's form; True for a function without parameters.
    """

    where: str
    language: str
    seconds: float
    refused: str = ""
    broken: bool = False
    outside: bool = True
    named: int = 0
    parameters: int = 0
    styled: bool = True
    written: str = ""


async def run(model: str, count: int, seed: int, *, resume: bool) -> list[Outcome]:
    """So many functions of each language; each outcome is kept as soon as it is there."""
    kept = cache() / "answers" / model.replace("/", "_") / f"docstrings-{seed}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    known = {}
    if resume and kept.is_file():
        known = {one.where: one for one in (Outcome(**json.loads(line)) for line in kept.read_text().splitlines())}
    outcomes: list[Outcome] = []
    todo = sample(count, seed)
    settings = {"models": {"completion": model, "assistant": model}, "index": {"enabled": False}}
    for root in dict.fromkeys(function.root for function in todo):
        async with window(root, settings) as opened:
            for function in (one for one in todo if one.root == root):
                if function.where in known:
                    outcomes.append(known[function.where])
                    continue
                text = function.path.read_bytes().decode("utf-8")
                began = time.perf_counter()
                try:
                    at = text.index(function.scope.signature, function.scope.start)
                    after = await opened.act(function.path, text, function.language, at, "refactor.rewrite.docstring")
                    outcome = judged(function, text, after, time.perf_counter() - began)
                except RefusedActionError as error:
                    took = time.perf_counter() - began
                    outcome = Outcome(function.where, function.language, took, refused=str(error))
                outcomes.append(outcome)
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({name: getattr(outcome, name) for name in Outcome.__slots__}) + "\n")
    return outcomes


def judged(function: Function, before: str, after: str, seconds: float) -> Outcome:
    """What became of a function whose file reads so now."""
    scope = function.scope
    old, new = Snapshot.open(before, function.language), Snapshot.open(after, function.language)
    parameters = [entry.name for entry in wanted(scope, old).parameters]
    # Of those with the same signature the one at the same place.
    place = sum(f.start < scope.start for f in _like(scope, old))
    found = next(iter(_like(scope, new)[place:]), None)
    start, end = (found.docstring_start or 0, found.docstring_end or 0) if found else (0, 0)
    docs = after[start:end]
    return Outcome(
        function.where,
        function.language,
        seconds,
        broken=error_count(new) > error_count(old),
        outside=_as_it_was(before, after, (start, end), before[scope.docstring_start or 0 : scope.docstring_end or 0]),
        named=sum(re.search(rf"(?<![\w$]){re.escape(name)}(?!\w)", docs) is not None for name in parameters),
        parameters=len(parameters),
        styled=not parameters
        or re.search(_STYLE[function.language], docs.replace("\r\n", "\n"), re.MULTILINE) is not None,
        written=docs,
    )


def _like(scope: FunctionScope, snapshot: Snapshot) -> list[FunctionScope]:
    return [f for f in functions(snapshot) if (f.name, f.signature) == (scope.name, scope.signature)]


def _as_it_was(before: str, after: str, docs: tuple[int, int], old_docs: str) -> bool:
    """Whether around the documentation nothing changed but the blanks between it and the code."""
    head, tail = after[: docs[0]].rstrip(), after[docs[1] :].lstrip()
    if not (before.startswith(head) and before.endswith(tail)):
        return False
    return before[len(head) : len(before) - len(tail)].strip() in ("", old_docs)


def report(outcomes: Sequence[Outcome], command: str, examples: Path) -> None:
    """Write the table, and all that was written to a file of its own."""
    columns = (
        "language | functions | refused | broken | else as it was | parameters named | right form | seconds, median"
    )
    lines = [
        f"{len(outcomes)} functions of public packages (`benchmarks/actions/sources.py`).",
        "",
        f"| {columns} |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    languages = dict.fromkeys(one.language for one in outcomes)
    groups = [(name, [one for one in outcomes if one.language == name]) for name in languages]
    for name, group in (*groups, ("all", list(outcomes))):
        done = [one for one in group if not one.refused]
        named, asked = sum(one.named for one in done), sum(one.parameters for one in done)
        seconds = sorted(one.seconds for one in group)
        lines.append(
            f"| {name} | {len(group)} | {len(group) - len(done)} | {sum(one.broken for one in done)} |"
            f" {sum(one.outside for one in done)} of {len(done)} | {named} of {asked} |"
            f" {_share(sum(one.styled for one in done), len(done))} | {seconds[len(seconds) // 2]:.1f} |"
        )
    reasons = {one.refused for one in outcomes if one.refused}
    lines += ["", *(f"* refused: {reason}" for reason in sorted(reasons))]
    write_markdown("actions-docstrings", command, lines)
    text = "\n\n".join(f"== {one.where} ({one.language})\n{one.refused or one.written}" for one in outcomes)
    examples.write_text(text, encoding="utf-8")


def _share(hits: int, of: int) -> str:
    if not of:
        return "-"
    found = wilson(hits, of)
    return f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})"
