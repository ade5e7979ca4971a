"""What was seen, as tables: by quarters of the time, so that what grows shows."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Line = dict[str, Any]

_QUARTERS = 4
# Of a kind of request there have to be so many in each quarter.
_LEAST = 5
# By how much the last quarter may have more memory than the second: the first is for warming up.
_GROWTH = 1.05
_WINDOWS = ("inline", "popups")
_BYTES = ("pss", "uss", "rss")
_NAMES = {"inline": "server, inline suggestions", "popups": "server, popups", "engine": "engine"}


class Seen:
    """The lines of a run, sorted."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.start = lines[0]
        self.minutes = [line for line in lines if line["kind"] == "minute"]
        self.events = [line for line in lines if line["kind"] == "event"]
        self.end: Line | None = next((line for line in lines if line["kind"] == "end"), None)
        self.counts: Counter[str] = Counter()
        for minute in self.minutes:
            self.counts.update(minute["counts"])

    def quarters(self) -> list[list[Line]]:
        """The minutes in four parts."""
        size = len(self.minutes)
        return [self.minutes[i * size // _QUARTERS : (i + 1) * size // _QUARTERS] for i in range(_QUARTERS)]

    def happened(self, what: str) -> list[Line]:
        """Events of a kind."""
        return [event for event in self.events if event["what"] == what]

    def by_quarter(self, figure: Callable[[Line], Sequence[float]]) -> list[float] | None:
        """The median in each quarter of figures that minutes have; None if some quarter has none."""
        found = [[value for minute in quarter for value in figure(minute)] for quarter in self.quarters()]
        return [statistics.median(values) for values in found] if all(found) else None


def problems(seen: Seen) -> list[str]:
    """What is not as it should be, in words."""
    ends = Counter(
        event["text"].strip().splitlines()[-1].rpartition("window.LostError: ")[2] for event in seen.happened("lost")
    )
    found = [f"a window was given up ({text.rstrip('.')}), {number} ×" for text, number in ends.items()]
    found += [f"did not end: {event['name']}" for event in seen.happened("did not end")]
    if seen.end is None:
        found.append("the run was broken off, so that what is left over at its end is not known")
    else:
        found += [f"left over: {one}" for one in seen.end["left"]]
        if seen.end["zombies"]:
            found.append(f"{seen.end['zombies']} processes that nobody collected")
    for name in _WINDOWS:
        for what in ("pss", "descriptors", "threads"):
            values = seen.by_quarter(_of(name, what))
            if values and values[-1] > values[1] * _GROWTH + (0 if what == "pss" else 2):
                before, after = (_shown(value, what) for value in (values[1], values[-1]))
                found.append(f"{_NAMES[name]}: {what} grew from {before} to {after} from the 2nd quarter to the 4th")
    return found


def _shown(value: float, what: str) -> str:
    return f"{value / 1e6:,.1f} MB" if what in _BYTES else f"{value:,.0f}"


def table(seen: Seen) -> list[str]:
    """The short one: memory and descriptors, answers, what went wrong.

    How long it takes until nothing is answered is left out: mostly that is a wait of our own, for the next key.
    """
    answers = [line for line in _latencies(seen) if ", nothing |" not in line]
    lines = [_done(seen), "", *_memory(seen, ("pss", "descriptors")), "", *answers, ""]
    return [*lines, _wrong(seen)]


def details(seen: Seen) -> list[str]:
    """All of it."""
    what = (*_BYTES, "descriptors", "threads", "children")
    lines = [_done(seen), "", *_memory(seen, what), "", *_files(seen), "", *_latencies(seen), "", _wrong(seen), ""]
    told = Counter(event["text"] for event in seen.happened("message"))
    refused = Counter(f"{event['request']}: {event['text']}" for event in seen.happened("refused"))
    for name, counted in (("Messages to the user", told), ("Requests that were refused", refused)):
        lines += [f"{name}:", "", *(f"* {number} × {text}" for text, number in counted.most_common()), ""]
    lines += ["What was done:", "", *(f"* {number} × {what}" for what, number in sorted(seen.counts.items()))]
    return lines


def _done(seen: Seen) -> str:
    typed = sum(n for what, n in seen.counts.items() if what.endswith("cancelled") and ": at a " in what)
    answered = sum(len(times) for minute in seen.minutes for times in minute["latencies"].values())
    cores = statistics.median(minute["cores"] for minute in seen.minutes)
    return (
        f"{len(seen.minutes)} minutes; {answered:,} requests answered, {typed:,} suggestions cancelled by the next "
        f"key, {len(seen.happened('window opened'))} windows opened, engines killed: "
        f"{len(seen.happened('engine killed'))}; {cores:.2f} cores in the median minute. "
        "The machine was shared with other work."
    )


def _wrong(seen: Seen) -> str:
    unplanned = len(seen.happened("engine gone, not by us"))
    ended = f" Engines that ended otherwise: {unplanned}." if unplanned else ""
    found = problems(seen)
    if not found:
        return f"Nothing was lost: every request was answered, every process ended, none was left over.{ended}"
    return "Not as it should be: " + "; ".join(found) + f".{ended}"


def _of(name: str, what: str) -> Callable[[Line], list[float]]:
    def figure(minute: Line) -> list[float]:
        return [one[what] for key, one in minute["processes"].items() if one and key.split(" ")[0] == name]

    return figure


def _memory(seen: Seen, wanted: Sequence[str]) -> Iterator[str]:
    yield "| median of the minutes | 1st quarter | 2nd | 3rd | 4th | 4th ÷ 2nd |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, shown in _NAMES.items():
        for what in wanted:
            values = seen.by_quarter(_of(name, what))
            if values:
                in_bytes = what in _BYTES
                label = f"{shown}, {what.upper()} in MB" if in_bytes else f"{shown}, {what}"
                yield _row(label, [value / 1e6 if in_bytes else value for value in values], 1 if in_bytes else 0)


def _files(seen: Seen) -> Iterator[str]:
    yield "| files, in KB | 1st quarter | 2nd | 3rd | 4th | 4th ÷ 2nd |"
    yield "|---|--:|--:|--:|--:|--:|"
    for place in ("state", "cache"):
        values = seen.by_quarter(lambda minute, place=place: [sum(minute["files"][place].values())])  # type: ignore[misc]
        if values:
            yield _row(place, [value / 1e3 for value in values], 0)


def _latencies(seen: Seen) -> Iterator[str]:
    yield (
        "| time until the answer, as a multiple of a fixed piece of work in the same minute; median | number | "
        "1st quarter | 2nd | 3rd | 4th | 4th ÷ 2nd |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for kind in sorted({kind for minute in seen.minutes for kind in minute["latencies"]}):

        def relative(minute: Line, kind: str = kind) -> list[float]:
            unit = statistics.median(minute["calibration_ms"])
            return [ms / unit for ms in minute["latencies"].get(kind, ())]

        sizes = [sum(len(relative(minute)) for minute in quarter) for quarter in seen.quarters()]
        values = seen.by_quarter(relative)
        if values and min(sizes) >= _LEAST:
            yield _row(f"{kind} | {sum(sizes):,}", values, 2)


def _row(label: str, values: Sequence[float], digits: int) -> str:
    ratio = f"{values[-1] / values[1]:.2f}" if values[1] else "–"
    return f"| {label} | {' | '.join(f'{value:,.{digits}f}' for value in values)} | {ratio} |"
