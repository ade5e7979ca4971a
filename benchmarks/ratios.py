"""What was measured beside other people's programs, and beside the same model asked plainly: results → rows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.figures import evaluated, stated
from benchmarks.results import Result
from benchmarks.tables import number, numbers, times, with_columns

Results = Mapping[str, Result]

_STATED = {
    "typing: wall time to 24 tokens, p50": ("Typing: until 24 tokens are there, median", "llama-server", "less"),
    "typing: wall time to 24 tokens, p95": ("Typing: until 24 tokens are there, p95", "llama-server", "less"),
    "DeepSeek-V4: tokens evaluated in all": (
        "Typing with DeepSeek-V4's memory: tokens evaluated in all",
        "llama-server at its best",
        "less",
    ),
    "wait: median at a pause": ("Wait for a suggestion at a pause, median", "llama.vim on llama-server", "less"),
    "prefill": ("Reading a prompt", "the best of llama-server, node-llama-cpp and llama-cpp-python", "more"),
    "decode": ("Answering", "the best of these", "more"),
    "decode of 1 to 64 tokens": ("Steps of 1 to 64 tokens, the worst of them", "the best of these", "more"),
}
_PAIRED = {
    "one line: plain FIM, one line": ("One-line holes whose tests pass", "plain FIM that stops at a line's end"),
    "one line: /infill, one line": ("One-line holes whose tests pass", "/infill that stops at a line's end"),
    "blocks: plain FIM": ("Blocks whose tests pass", "plain FIM"),
    "blocks: /infill": ("Blocks whose tests pass", "/infill"),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of ours as a multiple of somebody else's in the same run.

    Attributes:
        better: ``less`` or ``more``.
        said: the multiple, with its interval where there is one.
        result: the name of the results that say so.
    """

    measure: str
    peer: str
    better: str
    value: float
    said: str
    result: str

    @property
    def ahead(self) -> str:
        """Who is."""
        ours = self.value < 1 if self.better == "less" else self.value > 1
        return "Shardlight" if ours else "the other" if self.value != 1 else "neither"


def comparisons(results: Results) -> list[Comparison]:
    """All that there are results of."""
    return [*_tokens(results), *_in_bars(results), *_holes(results), *_actions(results)]


def _tokens(results: Results) -> Iterator[Comparison]:
    for _, ours, theirs in evaluated(results["engine"]) if "engine" in results else ():
        measure, value = "Typing: prompt tokens evaluated a keystroke, median", ours / theirs
        yield Comparison(measure, "llama-server", "less", value, f"{ours:.0f} : {theirs:.0f}", "engine")


def _in_bars(results: Results) -> Iterator[Comparison]:
    for name in ("engine", "completion-wait"):
        for measure, _, measured in stated(results.get(name)):
            if measure in _STATED and (found := times(measured)):
                (shown, peer, better), value = _STATED[measure], found[0]
                yield Comparison(shown, peer, better, value, f"{value:.2f} ×", name)


def _holes(results: Results) -> Iterator[Comparison]:
    found = results["completion-holes"].tables if "completion-holes" in results else ()
    for table in with_columns(found, "tests pass, paired by hole", "ratio"):
        for row in table.records():
            if row["tests pass, paired by hole"] in _PAIRED:
                measure, peer = _PAIRED[row["tests pass, paired by hole"]]
                # Where the other had none, there is no multiple to show.
                if numbers(row["ratio"]) and not row["ratio"].startswith("inf"):
                    value, said = number(row["ratio"]), row["ratio"].replace("inf", "∞")
                    yield Comparison(measure, peer, "more", value, said, "completion-holes")


def _actions(results: Results) -> Iterator[Comparison]:
    found = results["actions-unit-tests"].tables if "actions-unit-tests" in results else ()
    for table in with_columns(found, "good", "mutants killed"):
        rows = {row[""]: row["good"] for row in table.records()}
        yield _shares("Functions with a test that passes and finds a bug", rows, "asked once", "actions-unit-tests")
    found = results["actions-bugs"].tables if "actions-bugs" in results else ()
    for table in with_columns(found, "precision", "recall"):
        shown = next(row for row in table.records() if "what is shown" in row[""])
        plain = next(row for row in table.records() if row[""] == "asked plainly")
        for column, measure in (("precision", "Bug hints that are right"), ("recall", "Bugs that are found")):
            rows = {"Shardlight": shown[column], "asked plainly": plain[column]}
            yield _shares(measure, rows, "asked plainly", "actions-bugs")


def _shares(measure: str, rows: Mapping[str, str], other: str, result: str) -> Comparison:
    ours, theirs = number(rows["Shardlight"]), number(rows[other])
    value = ours / theirs if theirs else float("inf")
    return Comparison(measure, f"the same model, {other}", "more", value, f"{ours:.0f} % : {theirs:.0f} %", result)
