"""Where results go: ``results/NAME.md``, with the command and the machine above the figures."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from pathlib import Path

from lsp_server.engine import processor

FOLDER = Path(__file__).parent / "results"


def write_markdown(name: str, command: str, lines: Iterable[str]) -> Path:
    """Print lines, and write them to a file of ours; returns its path."""
    cores = processor.default_threads()
    head = [
        f"<!-- Written by `{command}`; not edited. -->",
        "",
        f"`{command}` on {processor.name()}, {cores} cores, {platform.system()}, Python {platform.python_version()}.",
        "",
    ]
    body = list(lines)
    sys.stdout.write("\n".join(body) + "\n")
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.md"
    path.write_text("\n".join([*head, *body]) + "\n", encoding="utf-8")
    return path


def insert(document: str, name: str, command: str, lines: Iterable[str]) -> None:
    """Put lines between a page's ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.

    Raises:
        ValueError: the page has no such place.
    """
    path = FOLDER.parent.parent / document
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(f"<!-- begin {name} -->\n")
    _, end, after = rest.partition(f"<!-- end {name} -->")
    if not begin or not end:
        raise ValueError(f"{document} has no place for {name}.")
    body = "\n".join([f"Made by `{command}`.", "", *lines, ""])
    path.write_text(f"{before}{begin}{body}{end}{after}", encoding="utf-8")
