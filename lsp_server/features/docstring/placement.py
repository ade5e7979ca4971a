"""Where documentation stands in a file, between which delimiters, and how it is taken out again."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Collection, Sequence

from lsp_server.features.docstring.prose import stripped
from lsp_server.syntax.languages import DocStyle
from lsp_server.syntax.scopes import ClassScope, FunctionScope, Scope, file_docs
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, detect_newline, indent_unit
from lsp_server.text.positions import split_lines

_WIDTH = 88
# "name: text" under a heading, or a tag: what wraps with a deeper indentation.
_ENTRY = re.compile(r"\s+\*{0,2}[\w.$]+(?: \([^)]*\))?: |@|\\[a-z]|:\w+ ")
_ITEM = re.compile(r"\s*[-*] ")
_PYTHON_QUOTES = re.compile(r"[rRuUbBfF]{0,2}(\"\"\"|'''|\"|')")


def placed(
    scope: Scope, snapshot: Snapshot, style: DocStyle, lines: Sequence[str], as_they_are: Collection[str]
) -> TextEdit:
    """The edit that gives a function or class its documentation, in place of what it has.

    Args:
        as_they_are: lines that are not wrapped, however long.
    """
    newline = detect_newline(snapshot.text)
    inside = style.placement == "inside"
    indentation = _body_indentation(scope, snapshot) if inside else scope.indentation
    text = _delimited(_wrap(lines, style, indentation, as_they_are), style, indentation, newline)
    start, end = scope.docstring_start, scope.docstring_end
    if start is not None and end is not None:
        return TextEdit(start, end, text)
    if not inside:
        return TextEdit(scope.start, scope.start, text + newline + indentation)
    head = snapshot.text[scope.start : scope.body_start]
    if "\n" not in head[head.rfind(":") :]:  # `def f(): return 1` on one line
        at = scope.start + len(head.rstrip())
        return TextEdit(at, scope.body_start, newline + indentation + text + newline + indentation)
    # What follows a class's documentation stands apart from it.
    apart = newline if isinstance(scope, ClassScope) else ""
    return TextEdit(scope.body_start, scope.body_start, text + newline + apart + indentation)


def placed_at_top(snapshot: Snapshot, style: DocStyle, lines: Sequence[str], as_they_are: Collection[str]) -> TextEdit:
    """The edit that gives a file its documentation: before its first statement, below the comments there."""
    newline = detect_newline(snapshot.text)
    text = _delimited(_wrap(lines, style, "", as_they_are), style, "", newline)
    if known := file_docs(snapshot):
        return TextEdit(*known, text)
    nodes = snapshot.tree.root_node.children if snapshot.tree else []
    first = next((node for node in nodes if "comment" not in node.type), None)
    at = snapshot.span(first)[0] if first else len(snapshot.text)
    above = snapshot.text[:at]
    before = newline if above and not above.endswith("\n") else ""
    return TextEdit(at, at, f"{before}{text}{newline}{newline if first else ''}")


def taken_out(text: str, style: DocStyle) -> list[str]:
    """The lines of documentation as it stands in a file, without delimiters and indentation."""
    if style.placement == "inside":
        return inspect.cleandoc(_value(text)).split("\n")
    lines = [line.strip() for line in split_lines(text)]
    if lines and lines[0].startswith("/*"):
        lines[0] = re.sub(r"^/\*[*!]?\s?", "", lines[0])
        lines[-1] = re.sub(r"\s*\*+/$", "", lines[-1])
        lines = [re.sub(r"^\*(?!/)\s?", "", line) for line in lines]
    else:
        lines = [re.sub(r"^(?:///?!?|-{2,3}|#+)\s?", "", line) for line in lines]
    return stripped(lines)


def _value(text: str) -> str:
    """What a string in Python's source means."""
    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        found = None
    if isinstance(found, str):
        return found
    quotes = _PYTHON_QUOTES.match(text)
    return text[quotes.end() :].removesuffix(quotes[1]) if quotes else text


def _body_indentation(scope: Scope, snapshot: Snapshot) -> str:
    if isinstance(scope, FunctionScope):
        return scope.body_indentation
    lines = snapshot.lines
    line = lines.line_of(scope.body_start)
    blanks = lines.indentation(line)
    begins_line = lines.line_start(line) + len(blanks) == scope.body_start
    return blanks if begins_line else scope.indentation + indent_unit(snapshot.text)


def _wrap(lines: Sequence[str], style: DocStyle, indentation: str, as_they_are: Collection[str]) -> list[str]:
    width = max(_WIDTH - len(indentation.expandtabs(4)) - len(style.prefix), 40)
    wrapped: list[str] = []
    for line in lines:
        if line in as_they_are:
            wrapped.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        item = _ITEM.match(line)
        hang = " " * item.end() if item else indent + "    " if _ENTRY.match(line) else indent
        wrapped += textwrap.wrap(
            line, width, subsequent_indent=hang, break_on_hyphens=False, break_long_words=False
        ) or [""]
    return wrapped


def _harmless(line: str, style: DocStyle) -> str:
    """The line with nothing in it that would end the documentation early or that the language reads as its own."""
    if style.placement == "inside":
        return line.replace("\\", "\\\\").replace('"""', "'''")
    # Kotlin and Rust nest comments; Java reads \u wherever it stands.
    return line.replace("*/", "* /").replace("/*", "/ *").replace("\\u", "\\ u")


def _delimited(lines: Sequence[str], style: DocStyle, indentation: str, newline: str) -> str:
    """The lines with the language's delimiters; the first line stands where the cursor is."""
    glue = newline + indentation
    lines = [_harmless(line, style) for line in lines]
    if style.placement == "inside":
        if len(lines) == 1:
            return f"{style.opening}{lines[0]}{style.closing}"
        body = newline.join([lines[0], *(f"{indentation}{line}".rstrip() for line in lines[1:])])
        return f"{style.opening}{body}{glue}{style.closing}"
    prefixed = [f"{style.prefix}{line}".rstrip() for line in lines]
    if style.opening:
        prefixed = [style.opening, *prefixed, style.closing]
    return glue.join(prefixed)
