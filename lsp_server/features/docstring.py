"""Documentation of a function: every parameter, the return value, the errors; in the language's own form."""

from __future__ import annotations

import re
import textwrap

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.types import FileEdit, Target, Tools, at_column_0
from lsp_server.inference.backend import Timings
from lsp_server.syntax.checks import equal_without_docs, error_count
from lsp_server.syntax.languages import DocStyle
from lsp_server.syntax.scopes import FunctionScope
from lsp_server.text.edits import TextEdit, detect_newline

_WIDTH = 88
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")
# "name: text" under a heading, or a tag: what wraps with a deeper indentation.
_ENTRY = re.compile(r"\s+[\w.]+: |@")
_SELF = {"self", "cls", "this", "&self", "&mut self", "*", "/"}
_NOTHING = {"None", "void", "()", "NoReturn", "never", "undefined", "Unit"}


async def write_docstring(target: Target, tools: Tools) -> FileEdit:
    """Write or replace the documentation of a function.

    Raises:
        RefusedError: the language has no known form, or what came back would change more than the documentation.
    """
    style = target.language.docs
    if style is None:
        raise RefusedError(f"Shardlight does not know how {target.language.name} is documented yet.")
    parts, timings = await _parts(target, tools)
    edit = _edit(target, style, _lines(parts, style))
    after = target.snapshot.edited([edit], target.snapshot.version)
    if not equal_without_docs(target.snapshot, after) or error_count(after) > error_count(target.snapshot):
        raise RefusedError(f"No sound documentation came out for {target.scope.name}.", hint="Try again.")
    return FileEdit(f"Document {target.scope.name}", (edit,), timings=timings)


class _Parts:
    """The words of a documentation: a summary, and (name, text) pairs."""

    def __init__(self, summary: str) -> None:
        self.summary = summary
        self.parameters: list[tuple[str, str]] = []
        self.returns = ""
        self.raises: list[tuple[str, str]] = []


async def _parts(target: Target, tools: Tools) -> tuple[_Parts, Timings]:
    """Ask for the words, one line at a time, under headings of ours."""
    scope = target.scope
    messages = tools.prompts.render(
        "docstring",
        target.language.id,
        language=target.language.name,
        fence=target.fence,
        kind=scope.kind,
        code=_without_docs(target),
    )
    guide = Guide(tools, messages, phase=f"Documenting {scope.name}")
    guide.write('"""')

    async def line() -> str:
        # One sentence a line: what a small model adds after it is repetition or invention.
        text = await guide.fill(stop=("\n", '"""'), max_tokens=64, enough=lambda t: _SENTENCE_END.search(t) is not None)
        sentence = _SENTENCE_END.split(text)[0]
        guide.take_back(text)
        guide.write(f"{sentence}\n")
        return _clean(sentence)

    summary = await line()
    if not summary:
        raise RefusedError(f"The model had nothing to say about {scope.name}.", hint="Try again, or a larger model.")
    parts = _Parts(summary)
    names = parameter_names(scope)
    if names:
        guide.write("\nArgs:\n")
    for name in names:
        guide.write(f"    {name}:")
        parts.parameters.append((name, await line()))
    if _returns_something(target):
        guide.write("\nReturns:\n   ")
        parts.returns = await line()
    if scope.raises:
        guide.write("\nRaises:\n")
    for name in scope.raises:
        guide.write(f"    {name}: If")
        text = await line()
        parts.raises.append((name, f"If {_lower_first(text)}" if text else ""))
    return parts, guide.timings


def parameter_names(scope: FunctionScope) -> list[str]:
    """The parameters to document, without the receiver and without stars or dots."""
    names = [p.name for p in scope.parameters if p.name not in _SELF]
    return [n.lstrip("*&.").rstrip("?") for n in names if n.lstrip("*&.")]


def _returns_something(target: Target) -> bool:
    scope = target.scope
    if scope.returns is not None:
        return scope.returns.strip() not in _NOTHING
    if scope.name in {"__init__", "constructor"}:
        return False
    body = target.snapshot.text[scope.body_start : scope.body_end]
    return re.search(r"\b(return|yield)\b[ \t]+[^\s;}]", body) is not None


def _without_docs(target: Target) -> str:
    """The function without its old documentation: the model is to write, not to copy."""
    scope, text = target.scope, target.snapshot.text
    code = target.code
    start, end = scope.docstring_start, scope.docstring_end
    if start is None or end is None or start < scope.start:
        return code
    rest = text[end : scope.end]
    return at_column_0(scope.indentation + text[scope.start : start].rstrip() + "\n" + rest.lstrip("\r\n"))


def _clean(text: str) -> str:
    """One line of words: no list mark, no type in front, a full stop behind."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"^[-*#:\s]+", "", text)
    text = re.sub(r"^\(?[A-Za-z_][\w\[\], .|]*\)?: (?=[A-Z])", "", text)
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?:" else f"{text}."


def _lower_first(text: str) -> str:
    """The text for the middle of a sentence; a name in capitals or quotes stays."""
    word = text.split(" ", 1)[0]
    return text[0].lower() + text[1:] if word[1:].islower() or len(word) == 1 else text


def _lines(parts: _Parts, style: DocStyle) -> list[str]:
    """The documentation's lines, without delimiters and indentation, in the language's form."""
    lines = [parts.summary]
    if style.name == "docstring":
        sections = [
            ("Args:", [f"{n}: {t}".strip() for n, t in parts.parameters]),
            ("Returns:", [parts.returns] if parts.returns else []),
            ("Raises:", [f"{n}: {t}".strip() for n, t in parts.raises]),
        ]
        for heading, entries in sections:
            if entries:
                lines += ["", heading, *(f"    {entry}" for entry in entries)]
        return lines
    if style.opening:  # the family of @param
        tags = [f"@param {n} {t}".strip() for n, t in parts.parameters]
        tags += [f"{'@returns' if style.name == 'JSDoc' else '@return'} {parts.returns}"] if parts.returns else []
        tags += [f"@throws {n} {t}".strip() for n, t in parts.raises]
        return lines + (["", *tags] if tags else [])
    entries = [f"{n}: {t}" for n, t in parts.parameters]
    entries += [f"Returns: {parts.returns}"] if parts.returns else []
    entries += [f"Raises {n}: {t}" for n, t in parts.raises]
    return lines + (["", *entries] if entries else [])


def _edit(target: Target, style: DocStyle, lines: list[str]) -> TextEdit:
    """Where the documentation goes, and as what."""
    scope, snapshot = target.scope, target.snapshot
    newline = detect_newline(snapshot.text)
    inside = style.placement == "inside"
    indentation = scope.body_indentation if inside else scope.indentation
    wrapped = _wrap(lines, _WIDTH - len(indentation.expandtabs(4)) - len(style.prefix))
    text = _delimited(wrapped, style, indentation, newline)
    start, end = scope.docstring_start, scope.docstring_end
    if start is not None and end is not None:
        return TextEdit(start, end, text)
    if not inside:
        return TextEdit(scope.start, scope.start, text + newline + indentation)
    head = snapshot.text[scope.start : scope.body_start]
    if "\n" not in head[head.rfind(":") :]:  # `def f(): return 1` on one line
        at = scope.start + len(head.rstrip())
        return TextEdit(at, scope.body_start, newline + indentation + text + newline + indentation)
    return TextEdit(scope.body_start, scope.body_start, text + newline + indentation)


def _wrap(lines: list[str], width: int) -> list[str]:
    wrapped: list[str] = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        hang = indent + "    " if _ENTRY.match(line) else indent
        wrapped += textwrap.wrap(line, max(width, 40), subsequent_indent=hang, break_on_hyphens=False) or [""]
    return wrapped


def _harmless(line: str, style: DocStyle) -> str:
    """The line with nothing in it that would end the documentation early or that the language reads as its own."""
    if style.placement == "inside":
        return line.replace("\\", "\\\\").replace('"""', "'''")
    # Kotlin and Rust nest comments; Java reads \u wherever it stands.
    return line.replace("*/", "* /").replace("/*", "/ *").replace("\\u", "\\ u")


def _delimited(lines: list[str], style: DocStyle, indentation: str, newline: str) -> str:
    """The lines with the language's delimiters; the first line stands where the cursor is."""
    glue = newline + indentation
    lines = [_harmless(line, style) for line in lines]
    if style.name == "docstring":
        if len(lines) == 1:
            return f"{style.opening}{lines[0]}{style.closing}"
        body = newline.join([lines[0], *(f"{indentation}{line}".rstrip() for line in lines[1:])])
        return f"{style.opening}{body}{glue}{style.closing}"
    prefixed = [f"{style.prefix}{line}".rstrip() for line in lines]
    if style.opening:
        prefixed = [style.opening, *prefixed, style.closing]
    return glue.join(prefixed)
