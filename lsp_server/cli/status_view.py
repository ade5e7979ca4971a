"""How the engines that run are shown: pure, facts → something that rich prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lsp_server.inference.watching import EngineFacts, SequenceFacts
from lsp_server.models.files import human_rate, human_size
from lsp_server.statistics.report import Report

NONE = "No engine runs. An editor starts one as soon as it needs it; `shardlight engine run` starts one by hand."


def frame(engines: Sequence[EngineFacts], suggestions: Report | None, hint: str = "") -> RenderableType:
    """All engines, one below the other, and what became of suggestions.

    Args:
        suggestions: what was counted lately; None if that cannot be read.
        hint: a line at the end, such as how to leave.
    """
    parts: list[RenderableType] = [_engine(engine) for engine in engines] or [Text(f"{NONE}\n")]
    if suggestions:
        parts.append(Text(_suggestions(suggestions)))
    if hint:
        parts.append(Text(f"\n{hint}", style="dim"))
    return Group(*parts)


def _engine(engine: EngineFacts) -> RenderableType:
    style = "green" if engine.state == "ready" else "yellow" if engine.state.startswith("loading") else "red"
    head = Text.assemble((engine.model, "bold"), "  ", (engine.state, style))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _rows(engine):
        table.add_row(name, escape(text))
    return Group(head, Padding(table, (0, 0, 1, 2)))


def _rows(engine: EngineFacts) -> Iterator[tuple[str, str]]:
    if engine.clients is not None:
        yield "used by", f"{engine.clients} program{'s' * (engine.clients != 1)}"
    for lane, sequences in groupby(engine.sequences, lambda sequence: sequence.lane):
        yield lane, _sequences(list(sequences))
    if engine.running or engine.waiting:
        yield "requests", f"{engine.running} run, {engine.waiting} wait"
    if engine.writing or engine.reading:
        rates = ((engine.writing, "writing"), (engine.reading, "reading"))
        yield "tokens/s", ", ".join(f"{human_rate(rate)} {what}" for rate, what in rates if rate)
    if engine.first_token_s:
        times = (f"{lane} {_seconds(seconds)}" for lane, seconds in sorted(engine.first_token_s.items()))
        yield "first token", f"{', '.join(times)} (median)"
    if engine.reuse is not None:
        yield "reuse", f"{engine.reuse:.0%} of the prompts' tokens were there already"
    if engine.guesses is not None:
        yield "guesses", f"{engine.guesses:.0%} of the tokens guessed ahead were right"
    planned = f", {human_size(engine.planned_bytes)} planned" if engine.planned_bytes else ""
    yield "memory", f"{human_size(engine.resident_bytes)} in use{planned}"
    yield "address", f"{engine.url}, process {engine.pid}"
    yield "file", engine.path


def _sequences(sequences: list[SequenceFacts]) -> str:
    """Each sequence as a mark (full: it works, half: it holds something) and all their tokens."""
    marks = "".join("●" if s.busy else "◐" if s.tokens else "○" for s in sequences)
    tokens = sum(s.tokens for s in sequences)
    return f"{marks}  {tokens:,} of {sum(s.n_ctx for s in sequences):,} tokens"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _suggestions(report: Report) -> str:
    total = report.total
    days = f"the last {report.days} days" if report.days > 1 else "today"
    if not total.shown:
        return f"Suggestions of {days}: none were shown."
    accepted = "" if total.acceptance is None else f", {total.acceptance:.0%} of those looked at accepted"
    return f"Suggestions of {days}: {total.shown:,} shown{accepted}. More: `shardlight stats`."
