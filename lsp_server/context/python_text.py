"""What the text of a Python file gives to names, found by patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from keyword import iskeyword

from lsp_server.context.index.types import IndexedSymbol

_MAKES_MEMBERS = re.compile(
    r"setattr(?:__)?\(|__dict__|\b(?:vars|locals|exec)\(|__slots__|__getattr|\.__new__\(|def __new__"
    r"|\bmetaclass\s*=\s*(?!ABCMeta|abc\.ABCMeta)"
)
# `a = `, `a, b = `, `a: int = `, `for a in`, `with x as a`, `import a`, on a line of their own.
_BINDS = re.compile(
    r"^[ \t]*(?P<targets>[\w*(\[][\w.,* \t()\[\]]{0,200}?)(?:=(?!=)|:[^=\n]{1,200}(?:=(?!=)|$))", re.MULTILINE
)
_CLAUSES = re.compile(
    r"\bfor\b(?P<several>[^\n]{1,200}?)\bin\b|\bas[ \t]+(?P<one>\w+)|=[ \t]*(?P<chained>[\w.]{1,100})[ \t]*=(?!=)"
    r"|\b(?:import|global)\b(?P<all>\s*\([^)]{0,5000}\)|(?:[^\n\\]|\\\n){1,500})"
    r"|(?P<given>[^\W\d]\w{0,99})[ \t]{0,9}:?=(?!=)"
)
_GIVEN_MEMBER = re.compile(r"\.([^\W\d]\w{0,99})[ \t]{0,9}(?:[-+*/|&]?=(?!=)|:[ \t]|,)")
_WORD = re.compile(r"[^\W\d]\w*")


# Looking through them takes longer than all the rest, and of those around only the document itself changes.
@lru_cache(8)
def makes_members(source: str) -> bool:
    """Whether a class may get members in ways that its text does not show."""
    return bool(_MAKES_MEMBERS.search(source))


@lru_cache(8)
def given_members(text: str) -> frozenset[str]:
    """The names behind dots that a text gives something to."""
    return frozenset(_GIVEN_MEMBER.findall(text))


def without(text: str, start: int, end: int, symbols: Iterable[IndexedSymbol]) -> str:
    """A part of a text without the functions and classes in it."""
    spans = sorted(
        (symbol.start, symbol.end)
        for symbol in symbols
        if symbol.kind in ("function", "method", "class") and start < symbol.start and symbol.end <= end
    )
    parts, at = [], start
    for first, last in spans:
        if first >= at:
            parts.append(text[at:first])
            at = last
    return "".join((*parts, text[at:end]))


@lru_cache(8)
def bound_in(text: str) -> frozenset[str]:
    """The names that lines of code give something to; a few more do no harm."""
    found: set[str] = set()
    for line in _BINDS.finditer(text):
        words = _WORD.findall(line["targets"])
        found.update(words if not iskeyword(words[0] if words else "") else ())
    for clause in _CLAUSES.finditer(text):
        said = ("several", "one", "chained", "all", "given")
        found.update(word for part in said if clause[part] for word in _WORD.findall(clause[part]))
    return frozenset(found)
