"""A contender of ``rows/rates.py`` in Python: a JSON line a task on stdin, one with its milliseconds on stdout.

A process of its own, because a build that knows instructions the machine has not ends with a signal.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol


class Evaluator(Protocol):
    """Something that has evaluated tokens, and can go back."""

    def back(self, keep: int) -> None:
        """Forget all but the first tokens."""
        ...

    def evaluate(self, tokens: list[int], rows: int) -> None:
        """Evaluate tokens at once, and choose what comes next; ``rows``: of so many last tokens logits are wanted."""
        ...


class Ours:
    """Our native layer under the engine's own plan."""

    def __init__(self, model: Path, settings: dict[str, Any]) -> None:
        from lsp_server.engine.native.context import NativeContext, Part
        from lsp_server.engine.native.model import NativeModel
        from lsp_server.engine.trial import settings_from

        derived = ("n_batch", "n_outputs_max", "tensor_overrides")
        plan = settings_from({k: v for k, v in settings.items() if k not in derived})
        self._context = NativeContext(NativeModel(model, plan), plan)
        self._part = Part
        self._n = 0

    def back(self, keep: int) -> None:
        """See ``Evaluator``."""
        if keep:
            self._context.drop_tail(0, keep)
        else:
            self._context.clear(0)
        self._n = keep

    def evaluate(self, tokens: list[int], rows: int) -> None:
        """See ``Evaluator``."""
        step = self._context.n_batch
        for start in range(0, len(tokens), step):
            part = tokens[start : start + step]
            last = start + len(part) == len(tokens)
            self._context.decode([self._part(0, part, self._n, n_outputs=rows * last)])
            self._n += len(part)
        self._context.logits().argmax()


class HighLevel:
    """llama-cpp-python's own class."""

    def __init__(self, model: Path, settings: dict[str, Any]) -> None:
        import llama_cpp

        threads = settings["n_threads"]
        self._llama = llama_cpp.Llama(
            str(model), n_ctx=settings["n_ctx"], n_threads=threads, n_threads_batch=threads, verbose=False
        )

    def back(self, keep: int) -> None:
        """See ``Evaluator``. It drops the tail itself, when it evaluates."""
        self._llama.n_tokens = keep

    def evaluate(self, tokens: list[int], rows: int) -> None:
        """See ``Evaluator``. Logits are of one token, always."""
        self._llama.eval(tokens)
        self._llama.sample(temp=0.0)


KINDS: dict[str, Callable[[Path, dict[str, Any]], Evaluator]] = {"ours": Ours, "llama_cpp.Llama": HighLevel}


def timed(evaluator: Evaluator, tokens: list[int], keep: int, one_by_one: bool, rows: int) -> float:
    """Milliseconds to evaluate tokens after the first ``keep`` of what is there."""
    evaluator.back(keep)
    begun = time.perf_counter()
    for part in [[token] for token in tokens] if one_by_one else [tokens]:
        evaluator.evaluate(part, rows)
    return (time.perf_counter() - begun) * 1000


def main() -> int:
    """Serve tasks until stdin ends. Arguments: the kind, the model, the plan's settings as JSON."""
    kind, model, settings = sys.argv[1:]
    evaluator = KINDS[kind](Path(model), json.loads(settings))
    sys.stdout.write('{"ready": true}\n')
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps({"ms": timed(evaluator, **json.loads(line))}) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
