"""Renders one chat template, in a process that may be ended: the template is a program that came with a download.

``python -m lsp_server.engine.template_process``. The first line of its input is the template as JSON, each further line
the variables of one rendering; each of these is answered by one line, ``{"text": ...}`` or ``{"error": ...}``. It ends
with its input. Who asks keeps the time (``templates.py``); this process limits its memory and what it answers, and ends
by itself where nobody is left to keep the time.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from datetime import datetime, timezone
from typing import Any

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

# Who asks ends it sooner; this is for where that one was killed meanwhile.
_LONGEST_S = 60
# Python and jinja2 take a tenth of it.
_MEMORY_BYTES = 768 << 20
# What a template adds to the messages: instructions of its own, descriptions of tools, marks around each message.
_ADDED_CHARS = 200_000
_TIMES = 4
_ERROR_CHARS = 500
_EXTENSIONS = ["jinja2.ext.loopcontrols"]


def main() -> None:
    """Answer until nobody asks any more."""
    _limit_memory()
    source = json.loads(sys.stdin.readline())
    template: Template | None = None
    for line in sys.stdin:
        _end_in(_LONGEST_S)
        try:
            # Compiled when it is wanted, so that what is wrong with it is an answer as well.
            template = template or environment().from_string(source)
            answer = {"text": _rendered(template, json.loads(line), most_chars(len(line)))}
        except Exception as error:
            # Whatever a program of somebody else's may raise.
            answer = {"error": (str(error) or type(error).__name__)[:_ERROR_CHARS]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        _end_in(0)


def environment() -> ImmutableSandboxedEnvironment:
    """What templates are rendered with: what models' authors have, and nothing of this machine but the date."""
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=_EXTENSIONS)
    made.globals["raise_exception"] = _raise
    made.globals["strftime_now"] = lambda pattern: datetime.now(timezone.utc).strftime(pattern)
    return made


def most_chars(asked: int) -> int:
    """How long a text may become that is made of so many characters."""
    return _TIMES * asked + _ADDED_CHARS


def _rendered(template: Template, variables: dict[str, Any], most: int) -> str:
    pieces: list[str] = []
    size = 0
    for piece in template.generate(variables):
        size += len(piece)
        if size > most:
            raise TemplateError(f"it makes more than {most:,} characters of them.")
        pieces.append(piece)
    return "".join(pieces)


def _raise(message: str) -> Any:
    raise TemplateError(message)


def _end_in(seconds: int) -> None:
    """The system ends this process, whatever it is doing then; 0 to let it live."""
    if sys.platform != "win32":
        signal.alarm(seconds)


def _limit_memory() -> None:
    # Windows has no such limits, and macOS does not keep this one: there only the time is limited.
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    main()
