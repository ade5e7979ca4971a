"""Words that have to fit a menu."""

from __future__ import annotations


def cut(text: str, most: int) -> str:
    """A text of ``most`` characters at the longest; where some are missing it ends with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
