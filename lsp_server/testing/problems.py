"""Programming problems in HumanEval's format, and the programs that answers to them make: pure but for reading a file.

A file has a JSON object a line: ``task_id``, ``prompt`` (code that ends where the answer begins), ``entry_point`` (the
function that is asked for), ``test`` (defines ``check(candidate)``) and ``canonical_solution``. The format is that of
Chen et al. 2021, "Evaluating Large Language Models Trained on Code" (arXiv:2107.03374).
"""

from __future__ import annotations

import ast
import gzip
import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lsp_server.errors import RefusedError

Mode = Literal["chat", "completion"]

MODES: tuple[Mode, ...] = ("chat", "completion")
FENCE = "\n```"
"""What ends an answer in a conversation."""
STOPS = ("\ndef ", "\nclass ", "\n#", "\nif ", "\nprint(", "\n@", "\nassert ", "\n```")
"""What ends a function's body: a line without indentation that begins something else."""

_FIELDS = ("task_id", "prompt", "entry_point", "test")
_DEFINITIONS = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.AnnAssign,
)
_MOST_BYTES = 200_000_000
_HINT = "It should have a JSON object a line with task_id, prompt, entry_point, canonical_solution and test."


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem; the fields are those of a line."""

    task_id: str
    prompt: str
    entry_point: str
    test: str
    canonical_solution: str = ""

    def program(self, answer: str, mode: Mode) -> str:
        """The program that shows whether an answer is right: it comes to its end only then."""
        solution = self._of_chat(answer) if mode == "chat" else self.prompt + answer
        return f"{solution}\n\n{self.test}\n\ncheck({self.entry_point})\n"

    def _of_chat(self, answer: str) -> str:
        """A whole function behind what the prompt has before it (imports, helpers), or else the prompt's own rest."""
        head = re.compile(rf"^(?:async\s+)?def\s+{re.escape(self.entry_point)}\b", re.MULTILINE)
        script = answer.split(FENCE)[0]
        code = _without_examples(script)
        if head.search(script) and not head.search(code):
            # The function itself was cut off: it is to fail as what it is.
            code = script
        found = head.search(self.prompt)
        if found and head.search(code):
            return f"{self.prompt[: found.start()]}\n{code}"
        return self.prompt + code


def _without_examples(code: str) -> str:
    """The definitions of a script, without what it does with them: models like to show how they are used.

    Of an answer that goes on until it is cut off it is what comes before the statement that does not end.
    """
    lines = code.splitlines(keepends=True)
    for end in (len(lines), *(n for n in range(len(lines) - 1, 0, -1) if not lines[n][0].isspace())):
        try:
            tree = ast.parse("".join(lines[:end]))
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            continue
        kept: list[ast.stmt] = [node for node in tree.body if isinstance(node, _DEFINITIONS)]
        return ast.unparse(ast.Module(kept, type_ignores=[])) if kept else code
    return code


def read_problems(path: Path) -> tuple[Problem, ...]:
    """The problems of a file, ``.jsonl`` or ``.jsonl.gz``.

    Raises:
        RefusedError: it cannot be read, or a line is none of a problem; the line and the field are named.
    """
    problems: dict[str, Problem] = {}
    # Texts in JSON may have characters, such as U+2028, that end a line for `splitlines`.
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        problem = _problem(line, f"{path}, line {number}")
        if problem.task_id in problems:
            raise RefusedError(f"{path}, line {number}: {problem.task_id} is there twice.", hint=_HINT)
        problems[problem.task_id] = problem
    if not problems:
        raise RefusedError(f"{path} has no problems.", hint=_HINT)
    return tuple(problems.values())


def _text(path: Path) -> str:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RefusedError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.",
            hint="Name a file of problems in HumanEval's format, .jsonl or .jsonl.gz. None is downloaded for you.",
        ) from error
    if len(content) > _MOST_BYTES:
        raise RefusedError(f"{path} is larger than {_MOST_BYTES // 1_000_000} MB.", hint=_HINT)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(f"{path} is not UTF-8 (byte {error.start}).", hint=_HINT) from error


def _problem(line: str, place: str) -> Problem:
    try:
        fields: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{place} is not JSON: {error}.", hint=_HINT) from error
    if not isinstance(fields, dict):
        raise RefusedError(f"{place} is no JSON object.", hint=_HINT)
    for name in _FIELDS:
        if not isinstance(fields.get(name), str):
            raise RefusedError(f"{place}: {name} must be a text.", hint=_HINT)
    if not fields["entry_point"].isidentifier():
        raise RefusedError(f"{place}: entry_point must be the name of a function.", hint=_HINT)
    solution = str(fields.get("canonical_solution", ""))
    return Problem(fields["task_id"], fields["prompt"], fields["entry_point"], fields["test"], solution)
