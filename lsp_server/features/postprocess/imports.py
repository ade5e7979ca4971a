"""The imports that an answer brings along."""

from __future__ import annotations

import re

from lsp_server.syntax.imports import import_statements, imports
from lsp_server.syntax.snapshot import Snapshot


def without_imports(code: str, language_id: str) -> tuple[str, list[str]]:
    """Code without the imports at its top; and those of them that bring what the rest uses."""
    answered = Snapshot.open(code, language_id)
    spans = import_statements(answered)
    brought = [code[start:end].strip() for start, end in spans]
    for start, end in reversed(spans):
        code = code[:start] + code[end:].lstrip("\n")
    words = set(re.findall(r"\w+", code))
    # What a header of C offers is not said where it is included.
    headers = language_id in ("c", "cpp")
    used = [line for line in brought if headers or _bound(Snapshot.open(f"{line}\n", language_id)) & words]
    return code.strip("\n") + "\n", used


def _bound(line: Snapshot) -> set[str]:
    """The names that an import statement brings, as far as they can be told."""
    found: set[str] = set()
    for one in imports(line):
        other = dict(one.aliases)
        found.update(other.get(name, name) for name in one.names)
        if "*" in other:
            found.add(other["*"])
        elif not one.names:
            found.update(re.findall(r"\w+", one.module)[-1:])
    return found
