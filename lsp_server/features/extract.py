"""Statements of a function into one of their own: the code says what it takes and gives back, the model names it."""

from __future__ import annotations

import ast
import builtins
import keyword

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.types import FileEdit, Selection, Target, Tools, at_column_0
from lsp_server.syntax.names import names_in
from lsp_server.syntax.python_flow import Flow, flow
from lsp_server.syntax.python_symbols import function_tables
from lsp_server.syntax.scopes import FunctionScope, enclosing_function
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, detect_newline, indent_unit

# Names that Python itself gives a meaning.
_GIVEN = {*dir(builtins), *keyword.kwlist, *keyword.softkwlist}
# A name of some words; the second one is for whoever said a word that has a meaning already.
_GRAMMARS = tuple(f'root ::= [a-z] [a-z0-9]{{1,15}} ("_" [a-z0-9]{{1,15}}){{{least},3}} "`"' for least in (0, 1))


def can_extract(function: Target, offset: int) -> bool:
    """Whether it is worth offering for a selection that begins in a function at an offset; cheap."""
    return function.language.id == "python" and offset >= function.scope.body_start - len(
        function.scope.body_indentation
    )


async def extract_function(selection: Selection, tools: Tools) -> FileEdit:
    """Move the selected statements into a new function, or method, and call it.

    Raises:
        RefusedError: they cannot be one; with the reason.
    """
    around = _around(selection)
    if selection.language.id != "python":
        raise RefusedError("Functions are extracted from Python so far.", hint="Say it as an instruction instead.")
    if around is None or selection.start < around.body_start:
        raise RefusedError("These are not statements of a function.", hint="Select some.")
    found = _flow(selection, around)
    messages = tools.prompt_of("extract", selection)
    text = selection.snapshot.text
    # What stands behind a dot is in the way of methods alone.
    dotted = bool(around.class_name)
    names = names_in(selection.snapshot, 0, len(text))
    taken = {name.text for name in names if dotted or text[name.start - 1 : name.start] != "."} | _GIVEN
    guide = Guide(tools, messages, phase="Naming the new function")
    name = await _named(guide, taken, found)
    edits = _edits(selection, around, found, name)
    _check(selection, edits, around, name)
    note = f"{name} takes {', '.join(found.inputs) or 'nothing'} and gives {_given(found)}."
    return FileEdit(f"Extract {name} from {around.name}", edits, notes=(note,), timings=guide.timings)


def _around(selection: Selection) -> FunctionScope | None:
    return enclosing_function(selection.snapshot, selection.start)


def _flow(selection: Selection, around: FunctionScope) -> Flow:
    snapshot = selection.snapshot
    # Decorators stand before the line of the definition.
    head = snapshot.lines.line_of(snapshot.text.index(around.signature, around.start)) + 1
    found = flow(snapshot.text, head, *_lines(selection))
    if found is None:
        raise RefusedError("These are no whole statements of one block.", hint="Select whole ones.")
    if found.hindrance:
        raise RefusedError(f"These statements cannot be a function of their own: {found.hindrance}.")
    return found


def _lines(selection: Selection) -> tuple[int, int]:
    """The first and the last line, 1-based."""
    lines = selection.snapshot.lines
    return lines.line_of(selection.start) + 1, lines.line_of(max(selection.end - 1, selection.start)) + 1


def _given(found: Flow) -> str:
    return "what is returned" if found.returns else ", ".join(found.outputs) or "nothing"


async def _named(guide: Guide, taken: set[str], found: Flow) -> str:
    """A name that says what the statements do, and is free."""
    guide.write("`")
    said = ""
    for grammar in _GRAMMARS:
        text = await guide.fill(stop=("`", "\n"), max_tokens=24, grammar=grammar)
        guide.take_back(text)
        said = text.strip("`_")
        if said and said not in taken:
            return said
    # A small model says the name of what is called there; what comes of it is another one.
    if len(found.outputs) == 1 and (name := f"get_{found.outputs[0].strip('_')}") not in taken:
        return name
    return _free(said or "extracted", taken)


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _edits(selection: Selection, around: FunctionScope, found: Flow, name: str) -> tuple[TextEdit, ...]:
    """The call in place of the statements, and the new function behind the one around them; before a nested one."""
    snapshot, newline = selection.snapshot, detect_newline(selection.snapshot.text)
    owner, decorator = _owner(around, snapshot)
    inputs = [one for one in found.inputs if one != owner]
    call = f"{f'{owner}.' if owner else ''}{name}({', '.join(inputs)})"
    call = f"{'await ' if found.waits else ''}{call}"
    results = ", ".join(found.outputs)
    statement = f"return {call}" if found.returns else f"{results} = {call}" if results else call
    annotations = {p.name: p.annotation for p in around.parameters}
    bound = [owner] if owner and decorator != "@staticmethod" else []
    parameters = [*bound, *(_declared(one, annotations) for one in inputs)]
    unit = indent_unit(snapshot.text)
    head = f"{'async ' if found.waits else ''}def {name}({', '.join(parameters)}):"
    body = at_column_0(selection.indentation + snapshot.text[selection.start : selection.end]).rstrip("\n").split("\n")
    lines = [*([decorator] if decorator else []), head, *(f"{unit}{line}" if line.strip() else "" for line in body)]
    lines += [f"{unit}return {results}"] if results else []
    nested = around.class_name is None and bool(around.indentation)
    gap = 1 if around.indentation else 2
    written = newline.join(f"{around.indentation}{line}" if line else "" for line in lines)
    replaced = TextEdit(selection.start, selection.end, statement)
    if nested:
        at = snapshot.lines.line_start(snapshot.lines.line_of(around.full_start))
        return TextEdit(at, at, f"{written}{newline * (gap + 1)}"), replaced
    end = around.start + len(snapshot.text[around.start : around.end].rstrip())
    return replaced, TextEdit(end, end, f"{newline * (gap + 1)}{written}")


def _owner(around: FunctionScope, snapshot: Snapshot) -> tuple[str, str]:
    """What a new method is called through, and its decorator; empty for a function."""
    if around.class_name is None:
        return "", ""
    decorators = snapshot.text[around.start : snapshot.text.index(around.signature, around.start)]
    first = around.parameters[0].name if around.parameters else ""
    if first == "self" and "@staticmethod" not in decorators:
        return first, ""
    if first == "cls" and ("@classmethod" in decorators or around.name == "__new__"):
        return first, "@classmethod"
    # Whatever else comes first need not be of the class.
    return around.class_name, "@staticmethod"


def _declared(name: str, annotations: dict[str, str | None]) -> str:
    annotation = annotations.get(name)
    return f"{name}: {annotation}" if annotation else name


def _check(selection: Selection, edits: tuple[TextEdit, ...], around: FunctionScope, name: str) -> None:
    """Raise RefusedError unless each name of the function is local where it was, and known where it went."""
    after = selection.snapshot.edited(list(edits), selection.snapshot.version).text
    try:
        before_tables = function_tables(selection.snapshot.text)
        after_tables = function_tables(after)
    except (SyntaxError, ValueError) as error:
        raise RefusedError(f"The result would not be Python ({error}).") from error
    moved = _moved(selection, around)
    # What gives the results back comes after them.
    if moved != _written(after, name)[: len(moved)]:
        raise RefusedError("A text in these statements would change, for it stands at the beginning of lines.")
    old = before_tables.get(around.name, [])
    local = {one.get_name() for table in old for one in table.get_symbols() if one.is_local() or one.is_parameter()}
    for table in [*after_tables.get(around.name, []), *after_tables.get(name, [])]:
        strayed = {one.get_name() for one in table.get_symbols() if one.is_global() and one.get_name() in local}
        known = {one.get_name() for other in old for one in other.get_symbols() if one.is_global()}
        if strayed - known:
            raise RefusedError(f"{sorted(strayed - known)[0]} would not be known in the new function.")


def _moved(selection: Selection, around: FunctionScope) -> list[str]:
    """The selected statements, as Python reads them."""
    first, last = _lines(selection)
    head = selection.snapshot.lines.line_of(around.start) + 1
    found: list[ast.stmt] = []
    pending: list[ast.AST] = [ast.parse(selection.snapshot.text)]
    while pending:
        for node in ast.iter_child_nodes(pending.pop()):
            if isinstance(node, ast.stmt) and first <= node.lineno and (node.end_lineno or 0) <= last:
                found.append(node)
            elif not isinstance(node, ast.stmt) or (node.end_lineno or 0) >= head:
                pending.append(node)
    return [ast.dump(node) for node in sorted(found, key=lambda node: (node.lineno, node.col_offset))]


def _written(after: str, name: str) -> list[str]:
    """The statements of the new function."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    body = next(n.body for n in ast.walk(ast.parse(after)) if isinstance(n, kinds) and n.name == name)
    return [ast.dump(node) for node in body]
