"""What a Python function says of the type of a variable, as long as that is beyond doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from lsp_server.context.spot import Spot, is_class
from lsp_server.syntax.around import Enclosing

MOST_LOOKED_AT = 20_000
# Nobody writes longer ones by hand, and some patterns take their time with them.
LONGEST_LINE = 400
_LOOKS_BACK = 80
_FIRST_PARAMETER = re.compile(r"\((?:\s|#[^\n]*\n)*([^\W\d]\w*)")
_GIVEN_CALL = re.compile(r"\s*=\s*([\w.]+)\(")
_COMMENT = re.compile(r"#[^\n]*")
# `Type`, `pkg.Type`, `"Type"`, `Type | None`, `Optional[Type]`.
_PLAIN_TYPE = re.compile(
    r"""(?:(?:typing\.|t\.)?Optional\[)?["']?((?:\w+\.){0,5}[^\W\d]\w*)["']?\]?(?:\s{0,3}\|\s{0,3}None)?"""
)
_ANNOTATION = r"[ \t]*:[ \t]*(?P<annotated>[^=\n(){};,]{1,200})"
_MADE = r"[ \t]*=[ \t]*(?P<made>(?:\w+\.){0,5}\w+)\("
_ANNOTATED = re.compile(_ANNOTATION)
_IS_DECLARED = re.compile(f"(?:{_ANNOTATION}|{_MADE})")
_TARGETS_BEFORE = re.compile(r"[\s\w.,*()\[\]=]*")
_TARGETS_BEHIND = re.compile(r"[\s\w.,*()\[\]]*(?::[^=]+)?=(?!=)")
_ADDS = re.compile(r"\s*(?:[-+*/|&^%@]|//|\*\*|<<|>>)=|\s*:=")
_OPENS_BEFORE = re.compile(
    r"\bfor\b(?:(?!\bin\b)[^:\n])*$|\blambda\b[^:\n]*$|\b(?:as|def|class)\s+$"
    r"|^\s*(?:del|global|nonlocal|import|from|case|def|async\s+def)\b"
)
# With one of these a variable is taken for something else than it was declared as.
_NARROWS = re.compile(r"\b(?:isinstance|issubclass|type|hasattr|cast|\w*is_\w+)\(\s*$|\bmatch\s+$")
_DEFINES = re.compile(r"\s*(?:from|import|class|def|async def)\b")


@dataclass(frozen=True, slots=True)
class Told:
    """What tells the type of a variable: the name of a class, or where ``made`` that of what is called to make it."""

    name: str
    made: bool = False


@dataclass(frozen=True, slots=True)
class Unbound:
    """The function does not give the name to anything: it is the module's."""


def told(name: str, spot: Spot) -> Told | Unbound | None:
    """The type of a variable at a cursor; None if that is open."""
    text = spot.snapshot.text
    functions = spot.functions
    if any(_stands(text[f.signature_start : f.signature_end], name) for f in functions[1:]):
        return None
    # What a loop gives it further below holds above as well.
    start, end = _body(functions[-1], spot) if functions else (0, len(text))
    if end - start > MOST_LOOKED_AT:
        return None
    at_top = not functions
    told = (_binding(text, at, at + len(name), at_top=at_top) for at in _places(text, name, start, end))
    found: set[Told | None] = set()
    for one in chain(told, _as_parameter(name, functions[0], text) if functions else ()):
        if one is None:
            # Whatever the others tell.
            return None
        found.add(one)
    return _agreed(found) if found - {_NONE} else Unbound()


def _as_parameter(name: str, function: Enclosing, text: str) -> Iterator[Told | None]:
    signature = text[function.signature_start : function.signature_end]
    for at in _places(signature, name, signature.find("(") + 1, len(signature)):
        yield _parameter(signature, at, at + len(name))


def own_attribute(name: str, spot: Spot) -> Told | None:
    """The type of an attribute of the object itself, if all its class agrees on that."""
    owner = next((scope for scope in spot.around if is_class(scope.kind)), None)
    if owner is None:
        return None
    text, called = spot.snapshot.text, f"self.{name}"
    if re.search(rf"^[ \t]+{name}[ \t]*[:=]", text[owner.start : owner.end], re.MULTILINE):
        return None
    found = {_binding(text, at, at + len(called)) for at in _places(text, called, owner.start, owner.end)}
    return _agreed(found, declared_once=True)


# At a place that gives a name nothing, and at one that gives it what nobody knows.
_NONE, _SOMETHING = Told(""), Told("?")


def _body(function: Enclosing, spot: Spot) -> tuple[int, int]:
    """Where a function's body begins and ends; half a line may make it seem to have the next one as well."""
    lines, text = spot.snapshot.lines, spot.snapshot.text
    depth = len(lines.indentation(lines.line_of(function.signature_start)))
    following = re.compile(rf"^[ \t]{{0,{depth}}}(?:@|def\b|class\b|async\b)", re.MULTILINE)
    found = following.search(text, spot.offset, function.end)
    return function.signature_end, found.start() if found else function.end


def _agreed(found: set[Told | None], *, declared_once: bool = False) -> Told | None:
    """What several places tell together; None if they do not.

    Args:
        declared_once: an annotation holds, whatever is given elsewhere.
    """
    said = found - {_NONE}
    annotated = {one for one in said if one is None or not (one.made or one == _SOMETHING)}
    if declared_once and annotated:
        said = annotated
    return None if len(said) != 1 or said == {_SOMETHING} else said.pop()


def is_own(name: str, spot: Spot) -> bool:
    """Whether ``self`` or ``cls`` is what the method at a cursor is called with."""
    functions = spot.functions
    if not functions or any(
        _stands(spot.snapshot.text[f.signature_start : f.signature_end], name) for f in functions[:-1]
    ):
        return False
    method, text = functions[-1], spot.snapshot.text
    first = _FIRST_PARAMETER.search(text, method.signature_start, method.signature_end)
    if first is None or first[1] != name or "staticmethod" in text[method.start : method.signature_start]:
        return False
    places = _places(text, name, *_body(method, spot))
    return all(_binding(text, at, at + len(name)) == _NONE for at in places)


def _stands(text: str, name: str) -> bool:
    return any(True for _ in _places(text, name, 0, len(text)))


def _places(text: str, name: str, start: int, end: int) -> Iterator[int]:
    """Where a name stands that is no other one's member."""
    at = text.find(name, start, end)
    while at >= 0:
        before, behind = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not (is_part(before) or before == "." or is_part(behind)):
            yield at
        at = text.find(name, at + len(name), end)


def is_part(char: str) -> bool:
    """Whether a character may stand in a name; none does at an end of the text."""
    return char == "_" or char.isalnum()


def _parameter(signature: str, start: int, end: int) -> Told | None:
    """What a parameter is told to be; ``_NONE`` if it is none at this place."""
    before = _COMMENT.sub("", signature[:start]).rstrip()
    if before.endswith("*"):
        return None
    if not before.endswith(("(", ",")):
        return _NONE
    annotated = _ANNOTATED.match(signature, end)
    return _plain(annotated["annotated"]) if annotated else None


def _binding(text: str, start: int, end: int, *, at_top: bool = False) -> Told | None:
    """What a name is given at a place; None if it may be another one from there on.

    Args:
        at_top: what the file imports and defines counts as nothing.
    """
    line_start, line_end = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    if line_end - line_start > LONGEST_LINE:
        return None
    before, behind = text[line_start:start], text[end:line_end]
    if at_top and _DEFINES.match(before):
        return _NONE
    declared = _IS_DECLARED.match(text, end, line_end)
    if declared and not before.strip():
        if declared["annotated"]:
            return _annotated(declared, before, text[declared.end() : line_end], at_top=at_top)
        return Told(declared["made"], made=True) if _ends_statement(text, declared.end()) else _SOMETHING
    near = text[max(start - _LOOKS_BACK, 0) : start]
    if _ADDS.match(behind) or _OPENS_BEFORE.search(before) or _NARROWS.search(near):
        return None
    if behind[:1] in (".", "[", "(") or not (_TARGETS_BEHIND.match(behind) and _TARGETS_BEFORE.fullmatch(before)):
        return _NONE
    # A keyword of a call is no target.
    _, given, value = before.rpartition("=")
    return _NONE if given and value.count("(") > value.count(")") else _SOMETHING


def _annotated(declared: re.Match[str], before: str, behind: str, *, at_top: bool) -> Told | None:
    """What an annotation tells that stands at the start of a line."""
    if behind.lstrip()[:1] in (",", ")", "}", "]"):
        # Of a parameter, or in a table.
        return _NONE if at_top else None
    if at_top and before:
        # A class's.
        return _NONE
    plain, made = _plain(declared["annotated"]), _GIVEN_CALL.match(behind)
    # One of its subclasses has more.
    return None if plain and made and made[1] != plain.name else plain


def _plain(annotation: str) -> Told | None:
    plain = _PLAIN_TYPE.fullmatch(annotation.strip())
    return Told(plain[1]) if plain else None


def _ends_statement(text: str, start: int) -> bool:
    """Whether nothing comes behind the bracket that was opened before ``start``."""
    depth = 1
    for at in range(start, min(start + LONGEST_LINE, len(text))):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if not depth:
            return text[at + 1 :].split("\n", 1)[0].partition("#")[0].strip() in ("", ";")
    return False
