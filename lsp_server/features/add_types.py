"""Type annotations for a Python function: the signature is ours, the model writes one type at a time.

Only a type is taken whose names are known in the file, or are those of Python's own modules for types, which are
imported. Nothing but annotations and imports changes, which is checked.
"""

from __future__ import annotations

import ast
import builtins
import collections.abc
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.types import FileEdit, Target, Tools
from lsp_server.syntax.imports import import_edit, imports
from lsp_server.syntax.outline import outline
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit
from lsp_server.text.positions import LineIndex, Position, PositionEncoding

_CLOSES = {")": "(", "]": "[", "}": "{"}
_ALLOWED = (
    *(ast.Expression, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Constant, ast.BinOp),
    *(ast.BitOr, ast.Load),
)
_MOST_TOKENS = 40
_BUILT_IN: dict[str, type] = {
    one.__name__: one for one in (bool, int, float, str, bytes, list, dict, set, tuple, frozenset)
}
# What typing called Python's own classes.
_OLD_NAMES = {"List", "Dict", "Tuple", "Set", "FrozenSet", "Type"}
# Where both have a name, that of typing is the old one.
_MODULES = (("collections.abc", collections.abc.__all__), ("typing", typing.__all__))


@dataclass(frozen=True, slots=True)
class _Place:
    """A parameter without a type, or the return value.

    Attributes:
        at: where the type belongs, in the function's text.
        name: the parameter's.
        default: of the parameter, as it is written; empty if there is none.
    """

    at: int
    default: str = ""
    returns: bool = False
    name: str = ""


def lacks_types(target: Target) -> bool:
    """Whether there is a type to add."""
    scope = target.scope
    named = [p for p in scope.parameters if p.name.lstrip("*") not in ("", "/", "self", "cls")]
    return target.language.id == "python" and (scope.returns is None or any(p.annotation is None for p in named))


async def add_types(target: Target, tools: Tools) -> FileEdit:
    """Annotate what a function's signature leaves open.

    Raises:
        RefusedError: the function cannot be read, or no type came out whose names are known.
    """
    scope, snapshot = target.scope, target.snapshot
    # Without its decorators, behind which the first line of a method would be indented otherwise than the others.
    start = max(snapshot.text.find(scope.signature, scope.start, scope.end), scope.start)
    code = snapshot.text[start : scope.end]
    function = _parsed(code, scope.name)
    places = list(_places(function, code))
    if not places:
        raise RefusedError(f"{scope.name} has all its types already.")
    messages = tools.prompts.render("types", "python", code=target.code.rstrip("\n"), related=target.related_text)
    guide = Guide(tools, messages, phase=f"Adding types to {scope.name}")
    guide.write("```python\n")
    known = _known_names(snapshot)
    edits: list[TextEdit] = []
    wanted: set[str] = set()
    written = _offset(LineIndex(code), function.lineno, function.col_offset)
    for place in places:
        guide.write(code[written : place.at])
        written = place.at
        mark = " -> " if place.returns else ": "
        sure = "None" if place.returns and _returns_nothing(function) else _type_of(place.default)
        found = sure or _plain(await _one_type(guide, mark), known)
        if not sure and not place.returns and not _may_be(found, place.name, function):
            continue
        if found and (needed := _needed(found, known)) is not None:
            # What cannot be taken is not shown to the model either: it would go on like that.
            guide.write(f"{mark}{found}")
            wanted |= needed
            edits.append(_edit(place, found, snapshot, wanted, start))
    if not edits:
        raise RefusedError(f"No type came out for {scope.name} that is sure.", hint="Try again, or a larger model.")
    lines = [f"from {module} import {', '.join(names)}" for module, names in _by_module(wanted)]
    edits += import_edit(lines, snapshot)
    _check(snapshot, edits)
    return FileEdit(f"Add types to {scope.name}", tuple(sorted(edits, key=lambda e: e.start)), timings=guide.timings)


async def _one_type(guide: Guide, mark: str) -> str:
    """A type as the model writes it behind a mark, up to what ends it; the answer is left as it was."""
    guide.write(mark)
    text = await guide.fill(stop=("\n",), max_tokens=_MOST_TOKENS, enough=lambda said: _end(said) < len(said))
    guide.take_back(f"{mark}{text}")
    return text[: _end(text)].strip()


def _type_of(default: str) -> str:
    """The type of a default that is a number, a text or the like; empty if it does not tell."""
    try:
        value = ast.literal_eval(default) if default else None
    except (SyntaxError, ValueError):
        return ""
    return type(value).__name__ if isinstance(value, (bool, int, float, str, bytes)) else ""


def _plain(found: str, known: set[str]) -> str:
    """A type by the names that the file has: `Room` and not `rooms.Room`, `list` and not `List`."""

    def short(dotted: re.Match[str]) -> str:
        first, last = dotted[0].partition(".")[0], dotted[0].rpartition(".")[2]
        name = last if first not in known and (last in known or first in ("typing", "collections")) else dotted[0]
        return name.lower() if name in _OLD_NAMES else name

    return re.sub(r"[^\W\d]\w*(?:\.\w+)*", short, found)


def _end(text: str) -> int:
    """Where a type ends that a text begins with: at a comma, a bracket or the like that is not its own."""
    opened: list[str] = []
    for number, char in enumerate(text):
        if char in "([{":
            opened.append(char)
        elif char in _CLOSES:
            if not opened or opened.pop() != _CLOSES[char]:
                return number
        elif char in ",=:#\n" and not opened:
            return number
    return len(text)


def _may_be(found: str, name: str, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether what a function does with a parameter can be done with a built-in type; True for all other types.

    A mapping is more than gone through.
    """
    kind = _BUILT_IN.get(found.partition("[")[0].strip())
    if kind is None:
        return True
    asked = {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute) and _is(name, node.value)}
    if not all(hasattr(kind, attribute) for attribute in asked):
        return False
    if kind is not dict or asked:
        return True
    every = list(ast.walk(function))
    gone_through = [node.iter for node in every if isinstance(node, (ast.For, ast.comprehension))]
    looked_into = [node.value for node in every if isinstance(node, ast.Subscript)]
    return any(_is(name, one) for one in looked_into) or not any(_is(name, one) for one in gone_through)


def _is(name: str, node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _parsed(code: str, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    try:
        (function,) = ast.parse(code).body
    except (SyntaxError, ValueError) as error:
        raise RefusedError(f"{name} cannot be read as Python.", hint="Correct its syntax first.") from error
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        raise RefusedError(f"{name} cannot be read as Python.")
    return function


def _places(function: ast.FunctionDef | ast.AsyncFunctionDef, code: str) -> Iterator[_Place]:
    lines = LineIndex(code)
    every = function.args
    defaults = dict(zip(reversed([*every.posonlyargs, *every.args]), reversed(every.defaults), strict=False))
    defaults |= {one: value for one, value in zip(every.kwonlyargs, every.kw_defaults, strict=True) if value}
    extra = [one for one in (every.vararg, every.kwarg) if one]
    ordered = sorted(
        [*every.posonlyargs, *every.args, *every.kwonlyargs, *extra], key=lambda a: (a.lineno, a.col_offset)
    )
    for one in ordered:
        if one.annotation is None and one.arg not in ("self", "cls"):
            end = _offset(lines, one.end_lineno, one.end_col_offset)
            value = defaults.get(one)
            yield _Place(end, (ast.get_source_segment(code, value) or "") if value else "", name=one.arg)
    if function.returns is None:
        end = _signature_end(code, function, lines)
        if end >= 0:
            yield _Place(end, returns=True)


def _signature_end(code: str, function: ast.FunctionDef | ast.AsyncFunctionDef, lines: LineIndex) -> int:
    """Behind the bracket that closes the parameters; -1 if no colon follows there."""
    # Brackets within defaults, and in their strings, are passed over.
    within = [node for node in ast.walk(function.args) if isinstance(node, (ast.arg, ast.expr))]
    opened = code.index("(", _offset(lines, function.lineno, function.col_offset))
    number = max((_offset(lines, node.end_lineno, node.end_col_offset) for node in within), default=opened + 1)
    depth = 1
    while number < len(code):
        if code[number] == "#":
            number = code.find("\n", number) % (len(code) + 1)
        depth += (code[number : number + 1] in ("(", "[", "{")) - (code[number : number + 1] in (")", "]", "}"))
        if not depth:
            return number + 1 if code[number + 1 :].lstrip().startswith(":") else -1
        number += 1
    return -1


def _offset(lines: LineIndex, line: int | None, column: int | None) -> int:
    """Python's place (lines from 1, columns in UTF-8 bytes) as an offset."""
    return lines.offset(Position((line or 0) - 1, column or 0), PositionEncoding.UTF8)


def _returns_nothing(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    pending: list[ast.AST] = [*function.body]
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)) or (isinstance(node, ast.Return) and node.value is not None):
            return False
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            pending += ast.iter_child_nodes(node)
    # What only raises, such as an abstract method, says nothing of what others return.
    last = function.body[-1]
    return not isinstance(last, ast.Raise) and not (isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant))


def _known_names(snapshot: Snapshot) -> set[str]:
    types = {name for name, value in vars(builtins).items() if isinstance(value, type)}
    own = {symbol.name for symbol in outline(snapshot) if not symbol.container and symbol.kind in ("class", "type")}
    imported = {
        dict(found.aliases).get(name, name) for found in imports(snapshot) for name in (found.names or (found.module,))
    }
    return types | own | imported | {"None"}


def _needed(found: str, known: set[str]) -> set[str] | None:
    """The names that a type needs imported; None if it is no type, or has a name that nobody knows."""
    try:
        tree = ast.parse(found, mode="eval")
    except (SyntaxError, ValueError):
        return None
    if not all(isinstance(node, _ALLOWED) for node in ast.walk(tree)):
        return None
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value not in (None, ...)]
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    offered = {name for _, names_there in _MODULES for name in names_there}
    fresh = names - known
    return None if strings or not fresh <= offered else fresh


def _edit(place: _Place, found: str, snapshot: Snapshot, wanted: set[str], offset: int) -> TextEdit:
    if place.returns:
        return TextEdit(offset + place.at, offset + place.at, f" -> {found}")
    if place.default == "None" and "None" not in found and not found.startswith(("Optional", "Any", "object")):
        if "from __future__ import annotations" in snapshot.text or " | None" in snapshot.text:
            found = f"{found} | None"
        else:
            found = f"Optional[{found}]"
            wanted.add("Optional")
    text, at = snapshot.text, offset + place.at
    # `a=1` becomes `a: int = 1`.
    if place.default and text[at : at + 1] == "=":
        return TextEdit(at, at + 1, f": {found} = ")
    return TextEdit(at, at, f": {found}")


def _by_module(names: set[str]) -> Iterator[tuple[str, list[str]]]:
    left = set(names)
    for module, offered in _MODULES:
        if here := sorted(left & set(offered)):
            left -= set(here)
            yield module, here


def _check(snapshot: Snapshot, edits: list[TextEdit]) -> None:
    """Raise RefusedError if anything but annotations and imports changed."""
    after = snapshot.edited(edits, snapshot.version).text
    try:
        same = _without_types(snapshot.text) == _without_types(after)
    except (SyntaxError, ValueError):
        same = False
    if not same:
        raise RefusedError("The types that came out would change more than the signature.", hint="Try again.")


def _without_types(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
    tree.body = [node for node in tree.body if not isinstance(node, ast.ImportFrom)]
    return ast.dump(tree)
