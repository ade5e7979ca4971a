"""What a program says when it fails, as a person pastes it: the error, and the places that it came through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# How each language's own tools write a place. Where one has several ways, they stand in one text.
_FORMS: dict[str, tuple[re.Pattern[str], ...]] = {
    "Python": (re.compile(r'^\s*File "(?P<path>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<name>\S+))?', re.M),),
    "C#": (re.compile(r"^\s*at (?P<name>\S+?)\([^)\n]*\) in (?P<path>[^\n]+?):line (?P<line>\d+)", re.M),),
    "Java": (re.compile(r"^\s*at (?P<name>[\w.$<>]+)\((?P<path>\w+\.(?:java|kt|scala)):(?P<line>\d+)\)", re.M),),
    "Rust": (
        re.compile(r"\bpanicked at (?P<name>)(?P<path>[^\s:,']+\.rs):(?P<line>\d+):\d+"),
        re.compile(r"^\s*\d+: (?P<name>[^\n]+)\n\s+at (?P<path>[^\s:]+\.rs):(?P<line>\d+)", re.M),
    ),
    "Go": (
        re.compile(r"^(?P<name>[\w./*()\[\]]+)\([^\n]*\)\n\t(?P<path>[^\s:]+\.go):(?P<line>\d+)", re.M),
        re.compile(r"^\s+(?P<name>)(?P<path>[\w./-]+_test\.go):(?P<line>\d+): ", re.M),
    ),
    "JavaScript": (
        re.compile(
            r"^\s*at (?:async )?(?:(?P<name>[^\s(]+(?: \[as [^\]]+\])?) \()?(?:file://)?"
            r"(?P<path>(?:[A-Za-z]:)?[^\s():]+\.(?:[cm]?[jt]sx?|vue|svelte)):(?P<line>\d+):\d+\)?",
            re.M,
        ),
    ),
    "Ruby": (re.compile(r"^\s*(?:from )?(?P<path>[^\s:]+\.rb):(?P<line>\d+):in [`'](?P<name>[^'\n]+)'", re.M),),
    "PHP": (
        re.compile(r" in (?P<name>)(?P<path>[^\s:]+\.php)(?::| on line )(?P<line>\d+)"),
        re.compile(r"^#\d+ (?P<path>[^\n(]+\.php)\((?P<line>\d+)\): (?P<name>[^\n(]+)\(", re.M),
    ),
    "C": (re.compile(r"^\s*#\d+\s+0x[0-9a-f]+ in (?P<name>\S+) (?P<path>[^\s:]+):(?P<line>\d+)", re.M),),
}
_PYTHON_ERROR = re.compile(
    r"^(?P<error>[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit|Iteration)\b[^\n]*)", re.M
)
_ERROR = re.compile(
    r"^\s*(?:(?:Uncaught|Unhandled exception\.|Exception in thread \"[^\"]*\"|PHP Fatal error:|Caused by:)\s+)*"
    r"(?P<error>(?:panic: |thread '[^']*' |fatal error: |==\d+==ERROR: "
    r"|[\w.$\\]*(?:Error|Exception|Throwable|Failure)\b)[^\n]*)",
    re.M,
)
_MOST_FRAMES = 50
_MOST_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a file: the path as it was written, the line from 0, and the function's name if it was told."""

    path: str
    line: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in a line, and where it came through, the place where it happened first."""

    error: str
    frames: tuple[Frame, ...]


def parse(text: str) -> Failure | None:
    """The failure that a text tells of; None if it names no place in any of the forms that are known.

    They are those of Python, JavaScript, Java, C#, Go, Rust, Ruby, PHP, and of C with sanitizers.
    """
    text = text[-_MOST_CHARS:].replace("\r\n", "\n")
    for language, forms in _FORMS.items():
        found = sorted((match for form in forms for match in form.finditer(text)), key=lambda match: match.start())
        if not found:
            continue
        frames: dict[tuple[str, int], Frame] = {}
        # Python alone tells last where it happened.
        for match in reversed(found) if language == "Python" else found:
            path, line = match["path"].strip().removeprefix("./"), max(int(match["line"]) - 1, 0)
            known = frames.get((path, line))
            if known is None or not known.name:
                frames[path, line] = Frame(path, line, (match["name"] or "").strip())
        return Failure(_error(text, language, found), tuple(frames.values())[:_MOST_FRAMES])
    return None


def _error(text: str, language: str, places: Sequence[re.Match[str]]) -> str:
    """The line that says what happened."""
    # A traceback of Python ends with it, also where it is the last of several.
    found = _PYTHON_ERROR.search(text, places[-1].end()) if language == "Python" else _ERROR.search(text)
    if found is None:
        # Ruby says it where it says the place.
        return text[places[0].start() :].strip().splitlines()[0]
    said = found["error"].strip()
    if said.startswith("thread '"):
        # Rust has the message in the next line.
        said = next((line.strip() for line in text[found.end() :].splitlines() if line.strip()), said)
    return said
