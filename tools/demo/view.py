"""Drawing the demo: colours and live progress on a terminal, plain lines anywhere else."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Column, Table
from rich.text import Text

from tools.demo.excerpt import CURSOR, Excerpt
from tools.demo.stage import Figures, Outcome, Part

# The sixteen colours of the terminal, so that it is readable on dark and on light ones.
_THEME = "ansi_dark"
_CURSOR = "bold magenta"
_INDENT = "  "
# What the rest of a code line that is too long is indented by, and the least room that it is given.
_HANG = "    "
_NARROWEST = 20
_DIFF_STYLES = {"+": "green", "-": "red", "@": "dim"}
_QUARTER = 25


class ConsoleView:
    """Draws on a console; decorated if it is a terminal that can, plain if not. See ``stage.View``.

    Args:
        live: whether to move while the editor waits; only on terminals.
    """

    def __init__(self, console: Console, *, live: bool = True) -> None:
        self._console = console
        self._plain = not console.is_terminal or console.is_dumb_terminal or "utf" not in console.encoding
        self._live = live and not self._plain
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._said = ("", -1)

    def title(self, title: str, facts: Sequence[str]) -> None:
        """The head of it all."""
        self._heading(title)
        for fact in facts:
            self._line(fact, "dim")

    def begin(self, number: int, total: int, part: Part) -> None:
        """A part begins."""
        self._console.print()
        self._heading(f"{number}/{total}  {part.title}")

    def asked(self, place: str, request: str, excerpt: Excerpt) -> None:
        """What was asked, and about which lines of which file."""
        self._line(f"{place}:{excerpt.line}   {request}", "dim")
        code = self._colored(excerpt)
        if excerpt.start is not None:
            cursor = Text(CURSOR) if self._plain else Text("▏", _CURSOR)
            code = Text.assemble(code[: excerpt.start], cursor, code[excerpt.start :])
        self._numbered(code, excerpt.first_line, "|" if self._plain else "│", "dim")

    def code(self, excerpt: Excerpt) -> None:
        """Code that came back; what was there already is dimmed."""
        self._console.print()
        code = self._colored(excerpt)
        if excerpt.start is not None and excerpt.end is not None:
            code.stylize("dim", 0, excerpt.start)
            code.stylize("dim", excerpt.end)
        self._numbered(code, excerpt.first_line, "+", "green")

    def diff(self, lines: list[str]) -> None:
        """A change that came back, as the lines of a unified diff."""
        self._console.print()
        for line in lines:
            self._row(Text(), Text(line, _DIFF_STYLES.get(line[:1], "")))

    def markdown(self, text: str) -> None:
        """Prose that came back."""
        self._console.print()
        if self._plain:
            for paragraph in text.strip().split("\n"):
                self._console.print(Text(self._filled(paragraph)), soft_wrap=True)
        else:
            self._console.print(Padding(Markdown(text, code_theme=_THEME), (0, len(_INDENT))))

    def output(self, text: str) -> None:
        """What a program printed."""
        self._console.print()
        for line in text.splitlines():
            good, bad = "PASSED" in line or "passed" in line, "FAILED" in line or "failed" in line
            self._row(Text(), Text(line.strip("= "), "red" if bad else "green" if good else ""))

    def note(self, text: str) -> None:
        """Words of the server."""
        self._console.print()
        self._line(text, "yellow")

    @contextmanager
    def working(self) -> Iterator[None]:
        """While the editor waits for an answer; what the server reports meanwhile comes in through ``progress``."""
        self._said = ("", -1)
        if not self._live:
            yield
            return
        words = TextColumn("{task.description}", "dim", markup=False, table_column=Column(no_wrap=True, ratio=1))
        columns = (SpinnerColumn(style="magenta"), TimeElapsedColumn(), words)
        with Progress(*columns, console=self._console, transient=True, expand=True) as progress:
            self._progress, self._task = progress, progress.add_task("waiting for the answer", total=None)
            try:
                yield
            finally:
                self._progress = None

    def progress(self, words: str, percent: int | None) -> None:
        """Where the server says that it is."""
        if self._progress:
            self._progress.update(self._task, description=words)
        elif self._plain and percent is not None:
            # In a log a line for each quarter is enough.
            state = (words.split(":")[0], percent // _QUARTER)
            if state != self._said:
                self._said = state
                self._line(f"... {words}")

    def end(self, outcome: Outcome) -> None:
        """A part is over."""
        good, bad = ("ok", "FAILED") if self._plain else ("✓", "✗")
        style = "green" if outcome.passed else "bold red"
        self._console.print()
        self._line(f"{good if outcome.passed else bad}  {outcome.sentence}", style)
        if outcome.figures:
            self._line(in_words(outcome.figures), "dim")

    def summary(self, outcomes: Sequence[Outcome], facts: Sequence[str]) -> None:
        """All parts in one table, and what else there is to say."""
        self._console.print()
        self._heading("Summary")
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for column in ("", "Part", "TTFT", "tok/s", "Tokens", "Total"):
            table.add_column(column, justify="left" if column in ("", "Part") else "right", no_wrap=True)
        for outcome in outcomes:
            passed = Text("ok" if outcome.passed else "FAILED", "green" if outcome.passed else "bold red")
            table.add_row(passed, outcome.part.title, *cells(outcome.figures))
        self._console.print(Padding(table, (0, 0, 0, len(_INDENT)), expand=False))
        self._console.print()
        for fact in facts:
            self._line(fact)

    def _heading(self, text: str) -> None:
        if self._plain:
            self._console.print(f"{text}\n{'-' * len(text)}", soft_wrap=True)
        else:
            self._console.rule(Text(text, "bold cyan"), align="left", style="cyan")

    def _line(self, text: str, style: str = "") -> None:
        """A sentence, wrapped to the width."""
        self._console.print(Text(self._filled(text), style), soft_wrap=True)

    def _filled(self, text: str) -> str:
        return textwrap.fill(
            text,
            self._console.width,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _colored(self, excerpt: Excerpt) -> Text:
        if self._plain:
            return Text(excerpt.text)
        text = Syntax(excerpt.text, excerpt.language, theme=_THEME, background_color="default").highlight(excerpt.text)
        # The lexer ends every text with a newline.
        return text[: len(excerpt.text)]

    def _numbered(self, code: Text, first: int, bar: str, style: str) -> None:
        for number, line in enumerate(code.split("\n", allow_blank=True), first):
            self._row(Text(f"{number:3} {bar} ", style), line)

    def _row(self, gutter: Text, line: Text) -> None:
        """A line of code: on a terminal its rest hangs under it, elsewhere it stays in one piece."""
        if self._plain:
            row = Text.assemble(_INDENT, gutter, line)
            row.rstrip()
            self._console.print(row, soft_wrap=True)
            return
        indent = Text(" " * (len(line) - len(line.plain.lstrip())))
        room = max(self._console.width - len(_INDENT) - len(gutter) - len(indent), _NARROWEST)
        code = line[len(indent) :]
        pieces = [code] if len(code) <= room else code.wrap(self._console, max(room - len(_HANG), _NARROWEST))
        for number, piece in enumerate(pieces):
            head = gutter if number == 0 else Text(" " * len(gutter) + _HANG)
            self._console.print(Text.assemble(_INDENT, head, indent, piece), soft_wrap=True)


def in_words(figures: Figures) -> str:
    """Figures as half a sentence."""
    return (
        f"TTFT {figures.ttft_s:.2f} s, {figures.tokens} tokens at {figures.tokens_per_second:.1f} tok/s, "
        f"total {figures.total_s:.2f} s"
    )


def cells(figures: Figures | None) -> tuple[str, str, str, str]:
    """Figures for the table's columns."""
    if figures is None:
        return ("", "", "", "")
    return (
        f"{figures.ttft_s:.2f} s",
        f"{figures.tokens_per_second:.1f}",
        str(figures.tokens),
        f"{figures.total_s:.2f} s",
    )
