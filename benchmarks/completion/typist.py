"""A person who writes a function's body again, as a pure function of a seed: what they type, and when they pause."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.completion.holes import dangerous, spots
from benchmarks.completion.projects import Project

_LEAST_CHARS, _MOST_CHARS = 150, 420
# Seconds: the middle and the spread of a lognormal distribution, and its bounds.
_BETWEEN_KEYS = (0.16, 0.45, 0.05, 0.8)
_PAUSE = (1.5, 0.4, 0.8, 4.0)
_THINKS = 0.05  # share of the places inside a line where the person pauses as well
_PLACES = " (.=["
_WORTH_A_KEY = 8  # characters


@dataclass(frozen=True, slots=True)
class Edit:
    """A part of a file that is typed again."""

    project: str
    path: str
    start: int
    end: int

    def left(self, text: str) -> str:
        """The file before."""
        return text[: self.start] + text[self.end :]


@dataclass(frozen=True, slots=True)
class Key:
    """A keystroke; Enter comes with the indentation that the editor puts there.

    Attributes:
        then_s: seconds until the next one.
        pause: the person looks at what is suggested.
    """

    text: str
    then_s: float
    pause: bool


def edits(projects: Mapping[str, Project], number: int, seed: int) -> list[Edit]:
    """Bodies to type, one of each project."""
    found: list[Edit] = []
    for project in projects.values():
        rng = random.Random(f"{seed} {project.root.name} typing")
        choice: list[Edit] = []
        for path in project.files():
            text = project.read(path)
            if "\r" not in text and not dangerous(text):
                choice += [
                    Edit(project.name, path, spot.start, spot.end)
                    for spot in spots(text, rng)
                    if spot.kind == "block" and _LEAST_CHARS <= spot.end - spot.start <= _MOST_CHARS
                ]
        found += [rng.choice(choice)] * bool(choice)
    return found[:number]


def keys(text: str, seed: int) -> list[Key]:
    """The keystrokes that write a text."""
    rng = random.Random(seed)
    found = []
    done = 0
    while done < len(text):
        end = done + 1
        if text[done] == "\n":
            while end < len(text) and text[end] in " \t":
                end += 1
        typed = text[done:end]
        blank = end < len(text) and text[end] == "\n"
        at_line_start = typed[0] == "\n" and not blank
        pause = at_line_start or (typed in _PLACES and not blank and rng.random() < _THINKS)
        found.append(Key(typed, _seconds(rng, _PAUSE if pause else _BETWEEN_KEYS), pause))
        done = end
    return found


def accepts(suggestion: str, to_come: str) -> bool:
    """Whether the person takes a suggestion: all of it is what they are about to write, and worth a key."""
    return len(suggestion) >= _WORTH_A_KEY and to_come.startswith(suggestion)


def after_accepting(rest: Sequence[Key], length: int) -> list[Key]:
    """The keystrokes that are left when so many characters were written at once."""
    left = list(rest)
    while left and length >= len(left[0].text):
        length -= len(left.pop(0).text)
    if left and length:
        left[0] = Key(left[0].text[length:], left[0].then_s, left[0].pause)
    return left


def _seconds(rng: random.Random, spread: tuple[float, float, float, float]) -> float:
    middle, sigma, least, most = spread
    return min(most, max(least, middle * rng.lognormvariate(0.0, sigma)))
