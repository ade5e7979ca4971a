"""A model's prose → Markdown that an editor can show without doing anything else with it."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Code spans and blocks stay as they are; what stands outside them is made harmless.
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)


def linked(text: str, lines: Mapping[str, int], uri: str) -> str:
    """With links where a name is first mentioned.

    Args:
        lines: name → the line of a document where it stands, 1-based.
    """
    told: set[str] = set()

    def link(match: re.Match[str]) -> str:
        name = match[1].removesuffix("()")
        if name not in lines or name in told:
            return match[0]
        told.add(name)
        return f"[{match[0]}]({uri}#L{lines[name]})"

    # Of blocks and headings nothing is made a link, and nothing of what is one.
    pieces = re.split(r"(```.*?(?:```|\Z)|^#[^\n]*|\[[^\]\n]*\]\([^)\n]*\))", text, flags=re.DOTALL | re.MULTILINE)
    pieces[::2] = [re.sub(r"`([^`\n]+)`", link, piece) for piece in pieces[::2]]
    return "".join(pieces)


def harmless(text: str) -> str:
    """Without images and HTML: an editor may fetch the one and interpret the other, and both can come from the code."""
    parts = _CODE.split(text)
    prose = [part.replace("![", "[").replace("<", "&lt;") for part in parts[::2]]
    return "".join(piece for pair in zip(prose, [*parts[1::2], ""], strict=True) for piece in pair)
