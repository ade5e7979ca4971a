"""What the tests of editors without a plugin of ours share: the documented configuration, and a place to work in.

The configuration is taken out of ``docs/editors.md`` as it stands there. It starts ``shardlight serve``, and what is
found as ``shardlight`` is the real language server over a scripted model.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from tests.editors.terminal import Terminal
from tests.support.editor import REPOSITORY

_DOCUMENT = REPOSITORY / "docs" / "editors.md"


def block(heading: str, language: str) -> str:
    """The first block in a language below a heading."""
    text = _DOCUMENT.read_text(encoding="utf-8")
    section = re.search(rf"^##+ {re.escape(heading)}$(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"{_DOCUMENT.name} has no heading {heading}"
    found = re.search(rf"^```{language}\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)
    assert found, f"below {heading} is no block in {language}"
    return found[1]


class Workplace:
    """A project with one file, a home, and the server on the ``PATH``.

    Attributes:
        file: the file.
        line: where the cursor belongs in it, counted from 1.
        column: the same, in characters.
        home: the user's home, with nothing in it.
    """

    def __init__(self, folder: Path, marked: str, script: dict[str, Any], name: str = "größe 1") -> None:
        project = folder / name
        self.home = folder / "home"
        self._sent = folder / "sent"
        self._bin = folder / "bin"
        for one in (project / ".git", self.home, self._bin):
            one.mkdir(parents=True)
        self._sent.touch()
        before, _, behind = marked.partition("<|>")
        self.file = project / "calc.py"
        self.file.write_text(before + behind, encoding="utf-8")
        self.line = before.count("\n") + 1
        self.column = len(before.rpartition("\n")[2]) + 1
        (folder / "script.json").write_text(json.dumps(script), encoding="utf-8")
        server = shlex.join([sys.executable, "-m", "tests.e2e.scripted_server", str(folder / "script.json")])
        shardlight = self._bin / "shardlight"
        shardlight.write_text(
            '#!/bin/sh\n[ "$*" = serve ] || exit 2\n'
            f"cd {shlex.quote(str(REPOSITORY))} && tee -a {shlex.quote(str(self._sent))} | {server}\n",
            encoding="utf-8",
        )
        shardlight.chmod(0o755)

    def environment(self) -> dict[str, str]:
        """What a program runs in."""
        places = {
            f"XDG_{kind}_HOME": str(self.home / f".{kind.lower()}") for kind in ("CONFIG", "DATA", "STATE", "CACHE")
        }
        path = os.pathsep.join([str(self._bin), os.environ["PATH"]])
        return {**os.environ, **places, "HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8"}

    def saved(self) -> str:
        """What the file holds; nothing for the moment in which an editor puts another in its place."""
        try:
            return self.file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def sent(self, method: str) -> list[Any]:
        """The parameters of the editor's messages of a method so far."""
        found, rest = [], self._sent.read_bytes()
        while head := re.match(
            rb"(?:[^\r\n]+\r\n)*?content-length: *(\d+)\r\n(?:[^\r\n]+\r\n)*\r\n", rest, re.IGNORECASE
        ):
            body, rest = rest[head.end() : head.end() + int(head[1])], rest[head.end() + int(head[1]) :]
            if len(body) == int(head[1]) and (message := json.loads(body)).get("method") == method:
                found.append(message["params"])
        return found


class InTerminal:
    """An editor with one file open, in a terminal.

    Attributes:
        place: where it works.
        terminal: where it is seen and typed into.
    """

    def __init__(self, place: Workplace, terminal: Terminal) -> None:
        self.place = place
        self.terminal = terminal

    async def served(self) -> None:
        """Wait until the server has been told of the file."""
        await self.terminal.until(lambda: self.place.sent("textDocument/didOpen"), "server")
