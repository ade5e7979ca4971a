"""Every hole with every answer as JSON lines: what failed is to be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.completion.holes import Hole
from benchmarks.completion.making import Bench
from benchmarks.completion.verdict import Verdict

_BEFORE, _AFTER = 400, 200  # characters


def write_examples(path: Path, bench: Bench, holes: Sequence[Hole], judged: Mapping[str, Sequence[Verdict]]) -> Path:
    """Write the file; returns its path."""
    aside = path.with_suffix(".tmp")
    with aside.open("w", encoding="utf-8") as file:
        for i, hole in enumerate(holes):
            answers = {name: verdicts[i] for name, verdicts in judged.items()}
            file.write(json.dumps(_example(bench, hole, answers)) + "\n")
    aside.replace(path)
    return path


def _example(bench: Bench, hole: Hole, answers: Mapping[str, Verdict]) -> dict[str, Any]:
    text = bench.text(hole)
    return {
        "hole": hole.id,
        "kind": hole.kind,
        "file": f"{hole.project}/{hole.path}:{text.count(chr(10), 0, hole.start) + 1}",
        "before": text[: hole.start][-_BEFORE:],
        "truth": hole.truth,
        "after": text[hole.end :][:_AFTER],
        "answers": {
            name: {
                "text": one.text,
                "passes": one.passes,
                "exact": one.exact,
                "similarity": round(one.similarity, 3),
                "broken": one.broken,
                "ms": round(one.ms),
            }
            for name, one in answers.items()
        },
        "tests": hole.tests,
    }
