"""A person who types, as a pure function: the same text and seed give the same keystrokes.

The person goes to a statement, deletes it and types it again, with wrong letters, with pairs that the editor closes,
with Enter and the indentation that the editor puts there. Now and then they leave it half written for another place,
and come back. When all is done the file is what it was.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.engine.source import statements

Kind = Literal["typing", "correction", "closer", "jump"]

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_QUOTES = "\"'"
_LEAST_CHARS, _MOST_CHARS = 25, 110
_LEAST_RUN, _MOST_RUN = 8, 22  # keystrokes before the person may go elsewhere
_MOST_OPEN = 3
_WRONG = 0.03  # share of letters that are mistyped
_SHIFT = {"a": "s", "e": "r", "i": "o", "n": "m", "o": "p", "r": "t", "s": "d", "t": "y"}


@dataclass(frozen=True, slots=True)
class Step:
    """The document after a keystroke.

    Attributes:
        offset: of the cursor.
        pause: whether the person waits here to see what is suggested.
        closers: so many characters right of the cursor were put there by the editor, to close pairs.
    """

    text: str
    offset: int
    kind: Kind
    pause: bool
    closers: int = 0


@dataclass(slots=True)
class _Spot:
    """A statement that was deleted: where its writing has come to, what is left to write, what closes by itself."""

    at: int
    rest: str
    closers: list[str] = field(default_factory=list)


def replay(text: str, *, seed: int = 1, keystrokes: int = 320) -> list[Step]:
    """At least so many keystrokes; what was begun is finished, so that the last text is the first one.

    Raises:
        ValueError: the text has not enough statements.
    """
    return list(_Typist(text, random.Random(seed)).type(keystrokes))


class _Typist:
    def __init__(self, text: str, rng: random.Random) -> None:
        self._text = text
        self._rng = rng
        # Somebody who has just opened a file has little before the cursor; the replay is about the rest.
        spans = [span for span in statements(text, _LEAST_CHARS, _MOST_CHARS) if span[0] > len(text) // 6]
        # (where it is now, its length) of each statement that nobody has touched.
        self._places = [(start, end - start) for start, end in rng.sample(spans, len(spans))]
        self._open: list[_Spot] = []

    def type(self, keystrokes: int) -> Iterator[Step]:
        """All steps."""
        made = 0
        spot: _Spot | None = None
        while made < keystrokes or self._open:
            last, spot = spot, self._next_place(spot, fresh=made < keystrokes)
            if spot is not last:
                yield self._step(spot, "jump")
                made += 1
            run = self._rng.randint(_LEAST_RUN, _MOST_RUN)
            while spot.rest or spot.closers:
                for step in self._keystroke(spot):
                    yield step
                    made += 1
                    run -= 1
                # Nobody leaves in the middle of a word.
                if run <= 0 and spot.rest and not (spot.rest[0].isalnum() or spot.rest[0] == "_"):
                    break
            if not spot.rest and not spot.closers:
                self._open.remove(spot)

    def _next_place(self, last: _Spot | None, *, fresh: bool) -> _Spot:
        others = [spot for spot in self._open if spot is not last]
        back = others and (not fresh or len(self._open) >= _MOST_OPEN or self._rng.random() < 0.4)
        if back or not fresh:
            return self._rng.choice(others or self._open)
        if not self._places:
            raise ValueError("the text has too few statements for so many keystrokes")
        start, length = self._places.pop()
        rest = self._text[start : start + length]
        # Some statements are written anew from their middle: a condition changed, an argument added.
        if self._rng.random() < 0.3 and (middle := rest.find(" ", len(rest) // 3)) > 0:
            start, rest = start + middle, rest[middle:]
        spot = _Spot(start, rest)
        self._replace(spot, len(rest), "")
        self._open.append(spot)
        return spot

    def _keystroke(self, spot: _Spot) -> Iterator[Step]:
        """One key, or some where one was wrong."""
        if not spot.rest:
            # What the editor closed and the text does not have: Delete.
            spot.closers.pop()
            self._replace(spot, 1, "")
            yield self._step(spot, "correction")
            return
        char = spot.rest[0]
        if char.isalpha() and self._rng.random() < _WRONG:
            yield from self._mistype(spot, _SHIFT.get(char, "e"))
        if char == "\n":
            yield from self._enter(spot)
            return
        spot.rest = spot.rest[1:]
        if spot.closers and spot.closers[-1] == char and self._text[spot.at - 1] != "\\":
            spot.closers.pop()
            spot.at += 1
            yield self._step(spot, "closer")
            return
        closing = self._closing(spot, char)
        self._insert(spot, char)
        if closing:
            self._replace(spot, 0, closing)
            spot.closers.extend(reversed(closing))
        yield self._step(spot, "typing")

    def _mistype(self, spot: _Spot, wrong: str) -> Iterator[Step]:
        """A wrong letter, sometimes noticed a letter later, and Backspace."""
        letters = wrong + (spot.rest[1:2] if spot.rest[1:2].isalpha() and self._rng.random() < 0.5 else "")
        for letter in letters:
            self._insert(spot, letter)
            yield self._step(spot, "correction")
        for _ in letters:
            spot.at -= 1
            self._replace(spot, 1, "")
            yield self._step(spot, "correction")

    def _enter(self, spot: _Spot) -> Iterator[Step]:
        """Enter; the editor indents as the line before, a level more behind a colon. Then Tab or Backspace."""
        line = self._text[self._text.rfind("\n", 0, spot.at) + 1 : spot.at]
        indent = line[: len(line) - len(line.lstrip())]
        blank = line and not line.strip()
        if blank:
            # An empty line keeps no indentation that only the editor put there.
            spot.at -= len(line)
            self._replace(spot, len(line), "")
        elif line.rstrip().endswith(":"):
            indent += "    "
        after = spot.rest[1:]
        wanted = after[: len(after) - len(after.lstrip(" "))]
        if after.startswith("\n"):
            wanted = indent
            spot.rest = after
        else:
            spot.rest = after[len(wanted) :]
        self._insert(spot, "\n" + indent)
        yield self._step(spot, "typing")
        while len(indent) > len(wanted):
            n = min(4, len(indent) - len(wanted))
            indent = indent[:-n]
            spot.at -= n
            self._replace(spot, n, "")
            yield self._step(spot, "correction")
        if len(wanted) > len(indent):
            self._insert(spot, wanted[len(indent) :])
            yield self._step(spot, "typing")

    def _closing(self, spot: _Spot, char: str) -> str:
        """What the editor puts behind a character that opens a pair; empty if nothing."""
        after = self._text[spot.at : spot.at + 1]
        if after.isalnum() or after == "_":
            return ""
        inside = any(closer in _QUOTES for closer in spot.closers)
        if char in _PAIRS:
            return _PAIRS[char]
        if char not in _QUOTES or inside:
            return ""
        before = self._text[: spot.at]
        if before.endswith(char * 2):
            return char * 3
        prefixed = before[-1:] in "fFrRbBuU" and not (before[-2:-1].isalnum() or before[-2:-1] == "_")
        word = before[-1:].isalnum() or before[-1:] == "_"
        return "" if word and not prefixed else char

    def _insert(self, spot: _Spot, text: str) -> None:
        self._replace(spot, 0, text)
        spot.at += len(text)

    def _replace(self, spot: _Spot, length: int, text: str) -> None:
        """Replace what stands right of the cursor, and move everything behind it."""
        self._text = self._text[: spot.at] + text + self._text[spot.at + length :]
        delta = len(text) - length
        for other in self._open:
            if other is not spot and other.at > spot.at:
                other.at += delta
        self._places = [(place + delta * (place > spot.at), size) for place, size in self._places]

    def _step(self, spot: _Spot, kind: Kind) -> Step:
        last = self._text[spot.at - 1 : spot.at]
        pause = kind == "jump" or last in "([{\n" or self._rng.random() < 0.12
        return Step(self._text, spot.at, kind, pause, len(spot.closers))
