"""Changing selected code as somebody says, or so that a problem goes away.

What comes back stands in place of the selection and nowhere else, but for imports, which join the file's own. It is
taken only if the file has no more syntax errors than before; where something is wrong the model is told so, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lsp_server.errors import RefusedError
from lsp_server.features.guided import ask_twice
from lsp_server.features.postprocess.code import ends_with_definition, reindent, strip_answer, up_to_last_definition
from lsp_server.features.postprocess.imports import needed_imports, newly_unknown, without_imports
from lsp_server.features.types import FileEdit, Problem, Selection, Tools
from lsp_server.features.unknown_names import still_unknown, unknown_name, with_known_name
from lsp_server.inference.backend import Message
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.comments import without_comments
from lsp_server.syntax.imports import import_edit, import_statements
from lsp_server.syntax.languages import Language
from lsp_server.syntax.python_tree import bare, unreachable
from lsp_server.syntax.scopes import scopes
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, detect_newline
from lsp_server.text.positions import split_lines
from lsp_server.text.titles import cut

# What stands for code that a model did not care to write.
_LEFT_OUT = re.compile(
    r"^\s*(?:#|//|/\*|--|\.\.\.)\s*(?:\.\.\.|…|(?:the )?(?:rest|remaining|existing|other|same|unchanged)\b"
    r"[^\n]*(?:code|function|method|class|implementation|unchanged|as before|here|same))",
    re.MULTILINE | re.IGNORECASE,
)
# With one of these in an instruction what is defined may be called otherwise afterwards.
_RENAMES = re.compile(r"\b(?:renam|remov|delet|split|extract|replac|merg|inlin|convert|port|translat|turn)\w*", re.I)
# What only adds something.
_ADDS = re.compile(r"(?:please )?(?:add|insert|log|print)\b", re.IGNORECASE)
_COMMENTS = re.compile(r"^(?:please )?(?:add|write|insert|put)\b[^,;.]*\bcomments?\b", re.IGNORECASE)
# What is about words and layout.
_TEXTS = re.compile(r"doc|comment|text|word|spell|typo|translat|describ|explain|format|layout|indent|line|quot", re.I)
# So many lines may become others where something is added.
_FEW_LINES = 2
_LONGEST_TITLE = 60


async def change(selection: Selection, instruction: str, tools: Tools) -> FileEdit:
    """Change the selected code as an instruction says.

    Raises:
        RefusedError: nothing changed, or nothing that could be taken came back in two tries; with the reason.
    """
    said = " ".join(instruction.split())
    if not said:
        raise RefusedError("There is nothing to do.", hint="Say what is to be changed.")
    messages = tools.prompt_of("edit", selection, instruction=said)

    def fault(written: str) -> str:
        return _not_said(selection.code, written, said, selection.language)

    title, keeps_names = cut(said, _LONGEST_TITLE), not _RENAMES.search(said)
    return await _changed(selection, messages, tools, title, fault, keeps_names=keeps_names)


async def fix(selection: Selection, problem: Problem, tools: Tools) -> FileEdit:
    """Change the code so that a problem goes away. Raises RefusedError as `change` does.

    A name that is not defined is mended without the model where another one is meant plainly.
    """
    title = f"Fix: {cut(problem.headline, _LONGEST_TITLE)}"
    if edits := with_known_name(selection, problem):
        return FileEdit(title, edits, preview=True)
    messages = tools.prompt_of("fix", selection, problem=problem.message, line=problem.line.strip())
    name = unknown_name(problem)

    def fault(written: str) -> str:
        is_left = bool(name) and still_unknown(name, selection.code, written)
        return f"{name} is still not defined." if is_left else ""

    return await _changed(selection, messages, tools, title, fault, keeps_names=True)


async def _changed(
    selection: Selection,
    messages: tuple[Message, ...],
    tools: Tools,
    title: str,
    fault: Callable[[str], str],
    *,
    keeps_names: bool,
) -> FileEdit:
    edits, timings = await ask_twice(
        tools,
        messages,
        selection,
        lambda answer: _edits(selection, answer, fault, keeps_names=keeps_names),
        phase=f"Changing {selection.name}",
        # What is added is seldom longer than what is there.
        max_tokens=len(selection.code) + 256,
        refusal=f"What came back for {selection.name} cannot be used:",
        hint="Say it otherwise, or try again.",
    )
    return FileEdit(title, edits, timings=timings, preview=True)


def _edits(
    selection: Selection, answer: str, fault: Callable[[str], str], *, keeps_names: bool
) -> tuple[tuple[TextEdit, ...] | None, str]:
    """The edits, or why there are none.

    Args:
        fault: what else is wrong with the new code, which is at column 0, the imports that it brought before it.
    """
    snapshot, before = selection.snapshot, selection.snapshot.text[selection.start : selection.end]
    code = strip_answer(answer)
    if not code.strip():
        return None, "It is empty."
    if _LEFT_OUT.search(code) and not _LEFT_OUT.search(before):
        return None, "It leaves out code."
    if ends_with_definition(selection.code, selection.language.id):
        code = up_to_last_definition(code, selection.language.id)
    code, brought = _without_what_it_was_shown(code, selection), list[str]()
    # A selection further down has none; one at the top of a file has its own.
    if not import_statements(Snapshot.open(selection.code, selection.language.id)):
        code, brought = without_imports(code, selection.language.id)
    if not code.strip():
        return None, "It is not what was to be changed."
    newline = detect_newline(snapshot.text)
    written = reindent(code, selection.indentation, newline)
    if _lines(written) == _lines(before):
        return None, "It is the same code."
    if reason := fault("\n".join([*brought, code])):
        return None, reason
    edit = TextEdit(selection.start, selection.end, written)
    edits = (*import_edit(needed_imports(brought, edit, snapshot), snapshot), edit)
    after = snapshot.edited(list(edits), snapshot.version)
    if error_count(after) > error_count(snapshot):
        return None, f"It is no sound {selection.language.name}."
    end = selection.end + len(after.text) - len(snapshot.text)
    if keeps_names and (lost := _defined(snapshot, selection.start, selection.end) - _defined(after, 0, end)):
        return None, f"{', '.join(sorted(lost))} is no longer there."
    if unknown := newly_unknown(snapshot, after):
        return None, f"{unknown} is not known there."
    return edits, ""


def _not_said(before: str, after: str, instruction: str, language: Language) -> str:
    """What a change does that the instruction does not say; empty if nothing is known of that."""
    old, new = _plain(before, language), _plain(after, language)
    if _COMMENTS.search(instruction) and old != new:
        return "It changes more than comments."
    only_adds = _ADDS.match(instruction) and not _RENAMES.search(instruction)
    if only_adds and len(set(old) - set(new)) > max(_FEW_LINES, len(old) // 3):
        return "It leaves out code that was to stay."
    if language.id != "python":
        return ""
    if unreachable(after) > unreachable(before):
        return "It has code that is never reached."
    if (
        old != new
        and not _TEXTS.search(instruction)
        and bare(after, annotations=True) == bare(before, annotations=True)
    ):
        return "It changes nothing but the documentation."
    return ""


def _plain(code: str, language: Language) -> list[str]:
    """The lines of some code without comments and layout."""
    lines = (line.strip() for line in split_lines(without_comments(Snapshot.open(code, language.id))))
    return [line for line in lines if line]


def _without_what_it_was_shown(code: str, selection: Selection) -> str:
    """The code without the classes and functions of other files, which a small model likes to repeat."""
    language = selection.language.id
    shown = {scope.name for scope in scopes(Snapshot.open(selection.related_text, language)) if not scope.class_name}
    repeated = shown - {scope.name for scope in scopes(Snapshot.open(selection.code, language))}
    for scope in reversed(scopes(Snapshot.open(code, language))):
        if scope.name in repeated and not scope.indentation:
            code = code[: scope.full_start] + code[scope.end :].lstrip("\n")
    return code.strip("\n") + "\n"


def _defined(snapshot: Snapshot, start: int, end: int) -> set[str]:
    return {scope.name for scope in scopes(snapshot) if start <= scope.start and scope.end <= end}


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in split_lines(text)]
