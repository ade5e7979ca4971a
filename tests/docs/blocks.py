"""The blocks of code in the documentation, and the commands in them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.editor import REPOSITORY

PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "editors/*/README.md", "*/README.md")
    for path in set(REPOSITORY.glob(pattern))
)
PAGES = list(dict.fromkeys(PAGES))

_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
# Behind an empty line, and not what belongs to an item of a list.
_INDENTED = re.compile(r"(?<=\n\n)((?: {4}[^\n]*\n|\n(?= {4}))+)")
_ITEM = re.compile(r"\s*(?:[*-]|\d+\.)\s")
SHELL = ("sh", "vim command")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        page: the file, below the repository.
        line: where it begins, counted from 1.
        language: as the fence says; of an indented one ``sh``, or ``vim command`` where its lines begin with a colon.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """For messages and names of tests."""
        return f"{self.page}:{self.line}"


def blocks() -> list[Block]:
    """All of them, a page after the other."""
    return [block for page in PAGES for block in _of(page)]


def commands(block: Block) -> Iterator[str]:
    """The commands of a shell block, without the comments behind them."""
    for line in re.sub(r"\\\n\s*", "", block.text).splitlines():
        if command := re.sub(r"(^|\s)#\s.*$", "", line).strip():
            yield command


def _of(page: str) -> Iterator[Block]:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    for fence in _FENCE.finditer(text):
        yield Block(page, _line(text, fence.start()), fence[2], textwrap.dedent(fence[3]))
    prose = _FENCE.sub(lambda fence: re.sub(r"[^\n]+", "-", fence[0]), text)
    for indented in _INDENTED.finditer(prose):
        before = prose[: indented.start()].rstrip().rpartition("\n\n")[2]
        if not _ITEM.match(before):
            body = textwrap.dedent(indented[0])
            language = "vim command" if body.startswith(":") else "sh"
            yield Block(page, _line(prose, indented.start()), language, body)


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
