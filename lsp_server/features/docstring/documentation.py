"""What a documentation says, whatever its form, and what one has to say of a function."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lsp_server.syntax.scopes import FunctionScope, functions
from lsp_server.syntax.snapshot import Snapshot

_SELF = {"self", "cls", "this", "&self", "&mut self", "mut self", "*", "/"}
# What a parameter is called that is taken apart. React and most libraries do so.
_PROPS, _OPTIONS, _VALUES = "props", "options", "values"
_PATTERN = ("{", "[")
_NOTHING = {"None", "void", "()", "NoReturn", "Never", "never", "undefined", "Unit", "Promise<void>", "Task"}
_RESULT = re.compile(r"^(?:\w+::)*Result\b")
_RETURNS = re.compile(r"\breturn\b[ \t]+[^\s;}]")
_YIELDS = re.compile(r"\byield\b")
# `local name="$1"`, `name=${2:-default}`.
_SHELL_PARAMETER = re.compile(r"""^\s*(?:local|declare|readonly)?\s*(\w+)=["']?\$\{?(\d)""", re.MULTILINE)
# Where a function that gives something back says so in its head.
_SAY_WHAT_RETURNS = {"go", "rust", "java", "c", "cpp", "csharp"}
# Where a generator is said to yield, and not to return one.
_SAY_YIELDS = {"python", "javascript", "javascriptreact", "typescript", "typescriptreact", "ruby"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A parameter, an attribute, an error, or the value that comes back: what is said about it.

    Attributes:
        name: empty for a value that comes back.
        text: empty if nothing is said yet.
        type: as it is written in the code; empty if that does not say.
    """

    name: str
    text: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Documentation:
    """The parts of a documentation.

    Attributes:
        summary: a sentence; empty if there is none yet.
        details: lines of prose behind it.
        attributes: of a class.
        panics: when Rust code panics.
        rest: lines of what else there was: examples, notes, tags of other purposes.
    """

    summary: str = ""
    details: tuple[str, ...] = ()
    attributes: tuple[Entry, ...] = ()
    parameters: tuple[Entry, ...] = ()
    returns: Entry | None = None
    yields: Entry | None = None
    raises: tuple[Entry, ...] = ()
    panics: Entry | None = None
    rest: tuple[str, ...] = ()


def wanted(scope: FunctionScope, snapshot: Snapshot) -> Documentation:
    """What a function's documentation has to say, with nothing said yet."""
    language = snapshot.language.id if snapshot.language else ""
    body = _own_body(scope, snapshot)
    parameters = tuple(
        Entry(name, type=(p.annotation or "") if name == plain_name(p.name) else "")
        for p in scope.parameters
        if p.name not in _SELF
        for name in _names(p.name, scope.name, language)
        if name
    )
    if language == "shellscript" and not parameters:
        numbered = {int(found[2]): found[1] for found in reversed(list(_SHELL_PARAMETER.finditer(body)))}
        parameters = tuple(Entry(numbered[n], type=f"${n}") for n in sorted(numbered))
    yields = language in _SAY_YIELDS and _YIELDS.search(body) is not None
    raises = tuple(map(Entry, scope.raises))
    if language == "rust" and scope.returns and _RESULT.match(scope.returns.strip()):
        raises = (Entry(""),)
    return Documentation(
        parameters=parameters,
        returns=None if yields and language != "ruby" else _returns(scope, body, language),
        yields=Entry("") if yields else None,
        raises=raises,
        panics=Entry("") if language == "rust" and "panic!(" in body else None,
    )


def _names(parameter: str, function: str, language: str) -> list[str]:
    """What a parameter is called in a documentation; one that is taken apart has no name of its own.

    JSDoc then names what it is and, behind a dot, its properties; TypeScript has these in the type.
    """
    if not parameter.startswith(_PATTERN):
        return [plain_name(parameter)]
    if parameter.startswith("["):
        return [_VALUES]
    name = _PROPS if function[:1].isupper() else _OPTIONS
    properties = _properties(parameter) if language.startswith("javascript") else []
    return [name, *(f"{name}.{one}" for one in properties)]


def _properties(pattern: str) -> list[str]:
    """The names that an object pattern takes, those within others left out."""
    found, depth, at_start = list[str](), 0, True
    for piece in re.findall(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\.\.\.|[\w$]+|[^\s]", pattern):
        if piece in "{[(":
            depth += 1
        elif piece in "}])":
            depth -= 1
        elif depth == 1 and at_start and re.match(r"[\w$]", piece):
            found.append(piece)
        at_start = piece == "," or (piece == "{" and depth == 1)
    return found


def plain_name(name: str) -> str:
    """A parameter's name without stars, dots, ampersands and question marks."""
    return name.lstrip("*&.").rstrip("?")


def wanted_beside(existing: Documentation, scope: FunctionScope, snapshot: Snapshot) -> Documentation:
    """As `wanted`; parameters that are taken apart are called as an existing documentation calls them."""
    asked = wanted(scope, snapshot)
    nameless = [p.name.startswith(_PATTERN) for p in scope.parameters if p.name not in _SELF]
    own = [e.name for e in asked.parameters if "." not in e.name]
    told = [e.name for e in existing.parameters if "." not in e.name]
    if not any(nameless) or not len(own) == len(told) == len(nameless):
        return asked
    names = {mine: theirs for mine, theirs, free in zip(own, told, nameless, strict=True) if free}
    renamed = (
        replace(e, name=names.get(root, root) + dot + rest)
        for e in asked.parameters
        for root, dot, rest in [e.name.partition(".")]
    )
    return replace(asked, parameters=tuple(renamed))


def without_types(asked: Documentation) -> Documentation:
    """What is asked for, without the types that the code has."""
    returns, yields = (value and replace(value, type="") for value in (asked.returns, asked.yields))
    parameters = tuple(replace(entry, type="") for entry in asked.parameters)
    return replace(asked, parameters=parameters, returns=returns, yields=yields)


def to_write(asked: Documentation, existing: Documentation) -> Documentation:
    """What is asked for, with what is said already; all words anew where nothing is missing.

    What else an existing documentation says stays, but for parameters that are gone.
    """
    return _with_more(asked, existing) if is_complete(asked, existing) else _merged(asked, existing)


def _merged(asked: Documentation, existing: Documentation) -> Documentation:
    """What is asked for, with what an existing documentation says about it; and what else that says."""
    # Of a generator some say what it yields, and others that it returns an iterator.
    returned = existing.returns or (None if asked.yields else existing.yields)
    yielded = existing.yields or (None if asked.returns else existing.returns)
    said = Documentation(
        summary=existing.summary,
        attributes=_said(asked.attributes, existing.attributes),
        parameters=_said(asked.parameters, existing.parameters),
        returns=_said_of(asked.returns, returned),
        yields=_said_of(asked.yields, yielded),
        raises=_said(asked.raises, existing.raises),
        panics=_said_of(asked.panics, existing.panics),
    )
    return _with_more(said, existing)


def _with_more(doc: Documentation, existing: Documentation) -> Documentation:
    """A documentation with what an existing one says of other things, such as errors that other functions raise."""
    return replace(
        doc,
        details=existing.details,
        attributes=(*doc.attributes, *_others(doc.attributes, existing.attributes)),
        returns=doc.returns or (existing.returns if existing.yields or not doc.yields else None),
        yields=doc.yields or (existing.yields if existing.returns or not doc.returns else None),
        raises=(*doc.raises, *_others(doc.raises, existing.raises)),
        panics=doc.panics or existing.panics,
        rest=existing.rest,
    )


def is_complete(asked: Documentation, existing: Documentation) -> bool:
    """Whether an existing documentation says all that is asked for, and of parameters nothing else."""
    both = _merged(asked, existing)
    values = [v for v in (both.returns, both.yields, both.panics) if v]
    said = all(entry.text for entry in (*both.attributes, *both.parameters, *both.raises, *values))
    stale = {e.name for e in existing.parameters} - {e.name for e in asked.parameters}
    return bool(both.summary) and said and not stale


def _said(asked: Iterable[Entry], existing: Iterable[Entry]) -> tuple[Entry, ...]:
    known = {plain_name(entry.name): entry for entry in existing}
    both = ((entry, known.get(entry.name, entry)) for entry in asked)
    return tuple(Entry(entry.name, told.text, entry.type or told.type) for entry, told in both)


def _others(there: Iterable[Entry], existing: Iterable[Entry]) -> tuple[Entry, ...]:
    names = {plain_name(entry.name) for entry in there}
    return tuple(entry for entry in existing if plain_name(entry.name) not in names)


def _said_of(asked: Entry | None, existing: Entry | None) -> Entry | None:
    if asked is None or existing is None:
        return asked
    return Entry(asked.name, existing.text, asked.type or existing.type)


def _returns(scope: FunctionScope, body: str, language: str) -> Entry | None:
    if scope.returns is not None:
        stated = scope.returns.strip()
        return None if stated in _NOTHING else Entry("", type=stated)
    if scope.name in {"__init__", "constructor"} or language in _SAY_WHAT_RETURNS:
        return None
    return Entry("") if _RETURNS.search(body) else None


def _own_body(scope: FunctionScope, snapshot: Snapshot) -> str:
    """A function's body without the functions within it."""
    parts, at = [], scope.body_start
    for inner in functions(snapshot):
        if at <= inner.start and inner.end <= scope.body_end and inner.start >= scope.body_start and inner is not scope:
            parts.append(snapshot.text[at : inner.start])
            at = inner.end
    return "".join((*parts, snapshot.text[at : scope.body_end]))
