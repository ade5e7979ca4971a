"""How fast the model was seen to read and to write, and what an answer may cost for it."""

from __future__ import annotations

from lsp_server.features.inline_completion import Effort
from lsp_server.inference.backend import Timings

# A new measurement counts for this much.
_WEIGHT = 0.3
# Shorter readings are mostly what a step costs by itself.
_LEAST_READ_TOKENS = 64
_LEAST_WRITTEN_TOKENS = 4
# Whoever waits for more than this has typed it themselves; what is written by then is shown.
_WRITING_S = 3.0
# With less an answer is hardly a line.
_LEAST_TOKENS = 24


class Pace:
    """Rates in tokens per second; None until they were seen."""

    def __init__(self) -> None:
        self.reading: float | None = None
        self.writing: float | None = None

    def seen(self, timings: Timings) -> None:
        """An answer came, with what it cost."""
        read = timings.prompt_tokens - timings.reused_tokens
        if read >= _LEAST_READ_TOKENS and timings.prompt_ms > 0:
            self.reading = _smoothed(self.reading, read * 1000 / timings.prompt_ms)
        if timings.predicted_tokens >= _LEAST_WRITTEN_TOKENS and timings.predicted_per_second > 0:
            self.writing = _smoothed(self.writing, timings.predicted_per_second)

    def effort(self, max_tokens: int) -> Effort:
        """What an answer may cost, of ``max_tokens`` at most."""
        if self.writing is not None:
            max_tokens = min(max_tokens, max(int(self.writing * _WRITING_S), _LEAST_TOKENS))
        return Effort(max_tokens, time_limit_ms=_WRITING_S * 1000)


def _smoothed(before: float | None, value: float) -> float:
    return value if before is None else before + _WEIGHT * (value - before)
