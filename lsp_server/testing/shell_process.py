"""A Python that runs code piece by piece, and says what came of each piece in words that an assertion can use.

Run as a program by `PythonShell`, with the Python of the user's project: it needs nothing but the standard library of
Python 3.8. Arguments: the module whose names are there from the start, its file, the first and the last line that are
watched, and the folder of the project's own code. Each line of its input is a request, each line of its output the
answer, both JSON; ``Seen`` in `lsp_server.testing.shell` says what an answer has. How a value is said is in
`value_forms`, a file beside this one.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import dis
import importlib.util
import inspect
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Any

# What is shown of a value, and of an error.
_SHOWN = 300
_MOST_ATTRIBUTES = 3

if TYPE_CHECKING:
    from lsp_server.testing import value_forms
else:
    # In the project's own Python our package is not there, and what stands beside this file cannot be imported.
    _BESIDE = os.path.join(os.path.dirname(__file__), "value_forms.py")
    _SPEC = importlib.util.spec_from_file_location("value_forms", _BESIDE)
    value_forms = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(value_forms)


class Shell:
    """The names that code of before has left, and what it takes to say what becomes of them."""

    def __init__(self, module: str, file: str, first: int, last: int, root: str) -> None:
        """See this module."""
        self._module = module
        self._watched = (os.path.realpath(file), range(first, last + 1))
        self._root = os.path.realpath(root)
        # A value that names this machine would be another one on the next.
        places = (self._root, os.path.realpath(tempfile.gettempdir()), os.path.expanduser("~"), sys.prefix)
        said = (form for place in places for form in (place, repr(place)[1:-1]))
        self._places = tuple(place for place in said if len(place) > 1)
        self._for_types = _imports_for_types(file)
        self._names: dict[str, Any] = {}
        self._own: set[str] = set()
        self._reached: set[int] = set()
        self._returned: dict[int, set[str]] = {}

    def forget(self) -> None:
        """Back to the module's names alone."""
        self._names = dict(vars(importlib.import_module(self._module)))
        for statement in self._for_types:
            # Names of annotations may not be there, or go in a circle.
            with contextlib.suppress(Exception):
                exec(statement, self._names)  # noqa: S102
        # What is defined here says so, and not that it is the module's.
        self._names["__name__"] = "__main__"
        self._own = set()

    def run(self, code: str) -> dict[str, Any]:
        """Run a piece of code; if it ends with an expression, its value is what is told of."""
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError) as error:
            return {"error": type(error).__name__, "shown": f"SyntaxError: {error}"}
        last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        looked_at = sorted(used & self._own & self._names.keys())
        before = {name: value_forms.state_of(self._names[name]) for name in looked_at}
        known = {name: id(value) for name, value in self._names.items()}
        printed, value, awaited = io.StringIO(), None, False
        self._reached, self._returned = set(), {}
        refused = len(_refusals())
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()), self._watching():
                if last is not None:
                    tree.body.pop()
                exec(compile(tree, "<shell>", "exec"), self._names)  # noqa: S102
                if last is not None:
                    value = eval(compile(ast.Expression(last.value), "<shell>", "eval"), self._names)  # noqa: S307
                    if awaited := inspect.iscoroutine(value):
                        value = asyncio.run(value)
        except BaseException as error:
            return {**self._failed(error, len(_refusals()) > refused), "awaited": awaited}
        if len(_refusals()) > refused:
            # It went another way than it would elsewhere.
            return {"error": "PermissionError", "shown": _clean(_refusals()[-1]), "reached": sorted(self._reached)}
        self._own |= {name for name, one in self._names.items() if known.get(name) != id(one)}
        self._own.discard("__builtins__")
        with self._watching():
            forms = self._forms(value) if value is not None else []
        changed = [
            (form.replace("{}", name), now)
            for name, state in before.items()
            for form, now in value_forms.state_of(self._names.get(name)).items()
            if known[name] == id(self._names.get(name)) and state.get(form) != now and self._is_portable(now)
        ]
        text = printed.getvalue()
        return {
            "shown": _clean((text + _represented(value) if value is not None else text).rstrip("\n")),
            "printed": text if text and len(text) <= value_forms.LONGEST_VALUE and self._is_portable(text) else "",
            "nothing": value is None and last is not None,
            "awaited": awaited,
            "forms": forms,
            "changed": changed[:_MOST_ATTRIBUTES],
            "reached": sorted(self._reached),
            "returned": sorted(self._returned[min(self._returned)]) if self._returned else [],
        }

    def _failed(self, error: BaseException, refused: bool) -> dict[str, Any]:
        name = type(error).__name__
        said = ""
        with contextlib.suppress(Exception):
            said = str(error)
        return {
            "error": name,
            "on_purpose": not refused
            and not isinstance(error, AssertionError)
            and _is_raised_below(error.__traceback__, self._root),
            "shown": _clean(f"{name}: {said}".rstrip(": ")),
            "reached": sorted(self._reached),
        }

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        """Note the lines of the watched function that are run."""
        file, lines = self._watched
        known: dict[CodeType, bool] = {}

        def entered(frame: FrameType, _event: str, _argument: object) -> Any:
            code = frame.f_code
            if code not in known:
                known[code] = code.co_firstlineno in lines and os.path.realpath(code.co_filename) == file
            return stepped if known[code] else None

        def stepped(frame: FrameType, event: str, argument: object) -> Any:
            if event == "line":
                self._reached.add(frame.f_lineno)
            elif event == "return":
                # Functions inside begin further down.
                self._returned.setdefault(frame.f_code.co_firstlineno, set()).add(_kind(frame.f_code, argument))
            return stepped

        sys.settrace(entered)
        try:
            yield
        finally:
            sys.settrace(None)

    def _forms(self, value: Any) -> list[tuple[str, str]]:
        """What can be said of a value: expressions in which ``{}`` stands for it, and what they are."""
        try:
            return self._found_forms(value)
        except BaseException:
            return []

    def _found_forms(self, value: Any) -> list[tuple[str, str]]:
        for found in value_forms.ways_to_say(value):
            if found:
                return [(form, said) for form, said in found if self._is_portable(said)][:_MOST_ATTRIBUTES]
        return []

    def _is_portable(self, text: str) -> bool:
        # Nor what is another thing tomorrow, or was said in an order that changes.
        today = time.strftime("%Y-%m-%d")
        return " at 0x" not in text and today not in text and not any(place in text for place in self._places)


def _refusals() -> list[str]:
    """What the guard has refused so far; nothing where there is none."""
    found: Any = sys.modules.get("shardlight refusals")
    return found if isinstance(found, list) else []


def _clean(text: str) -> str:
    """What can be sent anywhere, and not too much of it."""
    return text[:_SHOWN].encode("utf-8", "backslashreplace").decode()


def _imports_for_types(file: str) -> list[CodeType]:
    """The imports of a file that only a type checker makes: the classes that a function is called with are there."""
    try:
        with open(file, encoding="utf-8") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):
        return []
    found = []
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for inside in node.body:
                if isinstance(inside, (ast.Import, ast.ImportFrom)):
                    found.append(compile(ast.Module([inside], []), file, "exec"))
    return found


def _is_raised_below(trace: TracebackType | None, root: str) -> bool:
    """Whether an error comes from a ``raise`` in a file below a folder."""
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    # What has no file, such as the shell's own code, is in no folder.
    below = os.path.isabs(code.co_filename) and os.path.realpath(code.co_filename).startswith(root + os.sep)
    return below and code.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def _kind(code: CodeType, returned: object) -> str:
    """The kind of what a function has returned; of what can be gone through once only that."""
    lazy = code.co_flags & inspect.CO_GENERATOR or hasattr(type(returned), "__next__")
    return "iterator" if lazy else type(returned).__name__


def _represented(value: Any) -> str:
    try:
        return repr(value)
    except BaseException as error:
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def main() -> None:
    """Answer requests until the input ends."""
    module, file, first, last, root = sys.argv[1:]
    # What the tested code prints or reads must not get between requests and answers.
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "r+b", buffering=0) as nowhere:
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)
    sys.argv = [""]
    shell = Shell(module, file, int(first), int(last), root)
    for line in requests:
        request = json.loads(line)
        if "code" in request:
            answer = shell.run(request["code"])
        else:
            answer = {}
            try:
                shell.forget()
            except BaseException as error:
                answer = {"error": type(error).__name__, "shown": str(error)[:_SHOWN]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
