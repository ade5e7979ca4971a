"""What is told of a suggestion. ``language`` is always the editor's language id."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """The editor was given a suggestion.

    Attributes:
        latency_ms: from the request to the answer.
        from_cache: no model was asked for it.
    """

    language: str
    characters: int
    latency_ms: float
    from_cache: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """A suggestion was taken over as a whole, or the rest of one of which parts had been."""

    language: str
    characters: int


@dataclass(frozen=True, slots=True)
class AcceptedPart:
    """A suggestion is gone of which only a part was taken over: told once, with all characters that were."""

    language: str
    characters: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A suggestion was typed over or dismissed, and the user had had the time to see it."""

    language: str


Event = Shown | Accepted | AcceptedPart | Rejected
