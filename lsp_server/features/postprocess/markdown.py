"""A model's prose → Markdown that an editor can show without doing anything else with it."""

from __future__ import annotations

import re

# Code spans and blocks stay as they are; what stands outside them is made harmless.
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)


def harmless(text: str) -> str:
    """Without images and HTML: an editor may fetch the one and interpret the other, and both can come from the code."""
    parts = _CODE.split(text)
    prose = [part.replace("![", "[").replace("<", "&lt;") for part in parts[::2]]
    return "".join(piece for pair in zip(prose, [*parts[1::2], ""], strict=True) for piece in pair)
