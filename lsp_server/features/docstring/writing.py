"""Documentation is written together with the model: the form and the names are ours, the words are the model's.

What an existing documentation says stays, unless it already says all that there is to say: then it is written anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lsp_server.errors import RefusedError
from lsp_server.features.docstring.documentation import (
    Documentation,
    Entry,
    is_complete,
    to_write,
    wanted_beside,
    without_types,
)
from lsp_server.features.docstring.forms import FORMS, Form, form_named, form_of
from lsp_server.features.docstring.placement import placed, placed_at_top, taken_out
from lsp_server.features.docstring.wording import Wording
from lsp_server.features.guided import Guide
from lsp_server.features.types import ClassTarget, FileEdit, FileTarget, Target, Tools, add_timings, at_column_0
from lsp_server.inference.backend import Timings
from lsp_server.syntax.checks import equal_without_docs, error_count
from lsp_server.syntax.languages import DocStyle
from lsp_server.syntax.outline import outline, render
from lsp_server.syntax.scopes import ClassScope, FunctionScope, Scope, doc_spans, file_docs, scopes
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit

# Of a file or class so much is shown to the model: the rest is more of the same.
_MOST_CHARS = 6000
_MOST_AT_ONCE = 40


async def write_docstring(target: Target, tools: Tools) -> FileEdit:
    """Write, complete or replace the documentation of a function.

    Raises:
        RefusedError: the language has no known form, or what came back would change more than the documentation.
    """
    writer = _Writer(target, tools)
    edit = await writer.function(target.scope)
    return writer.checked(f"Document {target.scope.name}", (edit,))


async def write_class_docstring(target: ClassTarget, tools: Tools) -> FileEdit:
    """Write, complete or replace the documentation of a class itself; its methods keep theirs. Raises as above."""
    writer = _Writer(target, tools)
    edit = await writer.container(target.scope)
    return writer.checked(f"Document {target.scope.name}", (edit,))


async def write_missing_docstrings(target: FileTarget, tools: Tools) -> FileEdit:
    """Write the documentation of all that others use of a file and that has none, and in Python that of the file.

    What begins with an underscore, tests, and what is within functions is left alone.

    Raises:
        RefusedError: there is nothing to document, or as above.
    """
    writer = _Writer(target, tools)
    todo = list(undocumented(target.snapshot))
    edits: list[TextEdit] = []
    whole = target.snapshot.language_id == "python" and file_docs(target.snapshot) is None
    if not (todo or (whole and target.snapshot.text.strip())):
        raise RefusedError(f"All of {target.path.name} is documented.")
    left = len(todo) - _MOST_AT_ONCE
    if whole:
        edits.append(await writer.file())
    for number, scope in enumerate(todo[:_MOST_AT_ONCE], 1):
        writer.place = f"{number} of {min(len(todo), _MOST_AT_ONCE)}, "
        edits.append(await (writer.function(scope) if isinstance(scope, FunctionScope) else writer.container(scope)))
    edit = writer.checked(f"Document {target.path.name}", tuple(sorted(edits, key=lambda one: one.start)))
    return replace(edit, notes=(f"{left} more are left for another time.",)) if left > 0 else edit


def is_documented(target: Target | ClassTarget) -> bool:
    """Whether a documentation already says all that there is to say."""
    style, scope = target.language.docs, target.scope
    if style is None or scope.docstring_start is None:
        return False
    # Only its own: to look through the file for its form takes longer than a menu may.
    form = form_of([target.snapshot.text[scope.docstring_start : scope.docstring_end]], FORMS[style.name])
    existing = _existing(scope, target.snapshot, style, form)
    if isinstance(scope, ClassScope):
        return bool(existing.summary)
    return is_complete(wanted_beside(existing, scope, target.snapshot), existing)


class _Writer:
    """Documents things of one file, one after the other; ``place`` tells people how far it is."""

    def __init__(self, target: Target | ClassTarget | FileTarget, tools: Tools) -> None:
        style = target.language.docs
        if style is None:
            raise RefusedError(f"Shardlight does not know how {target.language.name} is documented yet.")
        self.place = ""
        self._target = target
        self._snapshot = target.snapshot
        self._tools = tools
        self._style: DocStyle = style
        forms = FORMS[style.name]
        self._form = form_named(tools.docstring_style, forms) or _usual(target, forms)
        self._timings = Timings()

    async def function(self, scope: FunctionScope) -> TextEdit:
        """The edit that documents a function."""
        existing = _existing(scope, self._snapshot, self._style, self._form)
        asked = wanted_beside(existing, scope, self._snapshot)
        doc = to_write(asked if self._form.typed else without_types(asked), existing)
        return self._placed(scope, await self._said(doc, scope.name, scope.kind, self._code(scope)))

    async def container(self, scope: ClassScope) -> TextEdit:
        """The edit that documents a class."""
        attributes = _attributes(scope, self._snapshot) if self._style.placement == "inside" else ()
        existing = _existing(scope, self._snapshot, self._style, self._form)
        # It may tell what the constructor takes, which is not asked for.
        asked = Documentation(attributes=attributes, parameters=existing.parameters)
        doc = to_write(asked, existing)
        code = _stubs(self._snapshot, scope)
        return self._placed(scope, await self._said(doc, scope.name, scope.kind, code))

    async def file(self) -> TextEdit:
        """The edit that documents the file."""
        name = self._target.path.name
        doc = await self._said(Documentation(), name, "module", _stubs(self._snapshot, None))
        return placed_at_top(self._snapshot, self._style, self._form.lines(doc), ())

    def checked(self, title: str, edits: tuple[TextEdit, ...]) -> FileEdit:
        """The edits as a change of the file. Raises RefusedError if they changed more than documentation."""
        after = self._snapshot.edited(list(edits), self._snapshot.version)
        more = error_count(after) > error_count(self._snapshot)
        # As many pieces as before and were made: none ran into another one.
        before = doc_spans(self._snapshot)
        fresh = sum(edit.start == edit.end or (edit.start, edit.end) not in before for edit in edits)
        same = len(doc_spans(after)) == len(before) + fresh
        if more or not same or not equal_without_docs(self._snapshot, after):
            raise RefusedError(
                f"No sound documentation came out for {title.removeprefix('Document ')}.", hint="Try again."
            )
        return FileEdit(title, edits, timings=self._timings)

    def _placed(self, scope: Scope, doc: Documentation) -> TextEdit:
        return placed(scope, self._snapshot, self._style, self._form.lines(doc), {*doc.details, *doc.rest})

    def _code(self, scope: FunctionScope) -> str:
        """The function without its old documentation: the model is to write, not to copy."""
        text = self._snapshot.text
        start, end = scope.docstring_start, scope.docstring_end
        code = scope.indentation + text[scope.start : scope.end]
        if start is not None and end is not None and start >= scope.start:
            code = scope.indentation + text[scope.start : start].rstrip() + "\n" + text[end : scope.end].lstrip("\r\n")
        return at_column_0(code)

    async def _said(self, doc: Documentation, name: str, kind: str, code: str) -> Documentation:
        """Ask for the words that a documentation lacks, one line at a time, under headings of ours."""
        language = self._target.language
        messages = self._tools.prompts.render(
            "docstring", language.id, language=language.name, fence=self._target.fence, kind=kind, code=code
        )
        guide = Guide(self._tools, messages, phase=f"{self.place}Documenting {name}")
        try:
            return await Wording(guide, language.id, name).complete(doc)
        finally:
            self._timings = add_timings(self._timings, guide.timings)


def _usual(target: Target | ClassTarget | FileTarget, forms: tuple[Form, ...]) -> Form:
    """The form that the file has, or the files around it, or people in general."""
    if len(forms) == 1:
        return forms[0]
    for texts in ([target.snapshot.text], target.neighbours()):
        if any(form.recognized.search(text) for form in forms for text in texts):
            return form_of(texts, forms)
    return forms[0]


def _existing(scope: Scope, snapshot: Snapshot, style: DocStyle, form: Form) -> Documentation:
    if scope.docstring_start is None or scope.docstring_end is None:
        return Documentation()
    return form.read(taken_out(snapshot.text[scope.docstring_start : scope.docstring_end], style))


def undocumented(snapshot: Snapshot) -> Iterator[Scope]:
    """What others use and has no documentation, in source order; nothing within functions."""
    inner = -1
    for scope in scopes(snapshot):
        if scope.start < inner:
            continue
        hidden = scope.name.startswith(("_", "test_", "Test"))
        if isinstance(scope, FunctionScope) or hidden:
            inner = scope.end
        if not hidden and scope.docstring_start is None and scope.body_start < scope.body_end:
            yield scope


def _attributes(scope: ClassScope, snapshot: Snapshot) -> tuple[Entry, ...]:
    """The fields and attributes of a class that others use."""
    owner = f"{scope.class_name}.{scope.name}" if scope.class_name else scope.name
    found = dict.fromkeys(
        symbol.name
        for symbol in outline(snapshot)
        if symbol.container == owner
        and symbol.kind in ("field", "attribute")
        and scope.start <= symbol.start < scope.end
        and not symbol.name.startswith("_")
    )
    return tuple(map(Entry, found))


def _stubs(snapshot: Snapshot, scope: ClassScope | None) -> str:
    """A class or file without the bodies of its functions."""
    if snapshot.language is None:
        return ""
    symbols = outline(snapshot)
    if scope:
        symbols = tuple(s for s in symbols if scope.start <= s.start and s.end <= scope.end)
    return render(symbols, snapshot.language)[:_MOST_CHARS].rstrip("\n")
