"""What the measures are run with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.completion.answers import Answers
from benchmarks.completion.projects import cache
from benchmarks.engine.outcome import Setup as EngineSetup


@dataclass(frozen=True, slots=True)
class Setup:
    """One run.

    Attributes:
        engine: model, peers, seed and whether it is a quick one.
        model_name: as the user gave it.
        holes: of each kind.
        label: a name for our answers, so that those of another state of our code are kept apart.
        resume: what was asked before, of the others or under the label, is not asked again.
    """

    engine: EngineSetup
    model_name: str
    holes: int
    label: str
    resume: bool

    def answers(self, measure: str, system: str, *, ours: bool) -> Answers:
        """The answers of a system to the holes of a measure."""
        folder = self.folder / (self.label if ours else "peers")
        return Answers(folder / f"{measure}-{system}.jsonl", resume=self.resume)

    @property
    def folder(self) -> Path:
        """Where the answers are kept."""
        return cache() / "answers" / self.model_name.replace("/", "_")
