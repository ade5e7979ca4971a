"""Lines of prose, as they stand in every form."""

from __future__ import annotations

from collections.abc import Sequence

from lsp_server.features.docstring.documentation import Documentation


def prose(doc: Documentation) -> list[str]:
    return [doc.summary, *(["", *doc.details] if doc.details else [])]


def with_rest(lines: list[str], doc: Documentation) -> list[str]:
    return [*lines, *(["", *doc.rest] if doc.rest else [])]


def read_prose(lines: Sequence[str]) -> Documentation:
    first, *others = paragraphs(lines) or [[]]
    details = [line for group in others for line in ("", *group)]
    return Documentation(" ".join(line.strip() for line in first), tuple(stripped(details)))


def paragraphs(lines: Sequence[str]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            groups[-1].append(line.rstrip())
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]


def stripped(lines: Sequence[str]) -> list[str]:
    """Lines without the blank ones at both ends."""
    written = [number for number, line in enumerate(lines) if line.strip()]
    return [line.rstrip() for line in lines[written[0] : written[-1] + 1]] if written else []


def lower_first(text: str) -> str:
    word = text.split(" ", 1)[0]
    return text[0].lower() + text[1:] if word[1:].islower() or len(word) == 1 else text


def hanging(lines: Sequence[str]) -> list[list[str]]:
    """Lines in groups, each begun by one with the least indentation; stripped."""
    written = [line for line in lines if line.strip()]
    least = min((len(line) - len(line.lstrip()) for line in written), default=0)
    groups: list[list[str]] = []
    for line in written:
        if len(line) - len(line.lstrip()) == least or not groups:
            groups.append([line.strip()])
        else:
            groups[-1].append(line.strip())
    return groups
