"""The values that go into features and come out of them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from lsp_server.errors import RefusedError
from lsp_server.inference.backend import Backend, Message, Timings
from lsp_server.prompting.catalog import PromptCatalog
from lsp_server.syntax.languages import Language
from lsp_server.syntax.scopes import ClassScope, FunctionScope, enclosing_class, enclosing_function
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.statements import whole_statements
from lsp_server.testing.reports import TestRun
from lsp_server.testing.shell import PythonShell
from lsp_server.testing.sites import TestSite
from lsp_server.text.edits import TextEdit
from lsp_server.text.snippet import Snippet

# Where Markdown calls a language otherwise.
_FENCES = {"shellscript": "bash", "typescriptreact": "tsx", "javascriptreact": "jsx"}


class TestBench(Protocol):
    """A place to put tests, and to try them out."""

    @property
    def site(self) -> TestSite:
        """Where the tests of the target's file belong."""
        ...

    async def run(self, files: Mapping[Path, str], names: Iterable[str]) -> TestRun:
        """Run tests of these names, with some of the workspace's files as they are here, and leave nothing there."""
        ...

    def shell(self, files: Mapping[Path, str], lines: range) -> AbstractAsyncContextManager[PythonShell | None]:
        """A shell in which the function of these lines (1-based) can be tried out; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a feature works with.

    Attributes:
        backend: the model.
        prompts: the prompt files.
        report: called with a few words and the number of tokens so far, whenever something was generated.
        bench: where tests go and how they are run; None where that is not known.
        docstring_style: the name of a documentation's form, or ``auto``.
    """

    backend: Backend
    prompts: PromptCatalog
    report: Callable[[str, int], None] = lambda _phase, _tokens: None
    bench: TestBench | None = None
    docstring_style: str = "auto"

    def prompt_of(self, task: str, selection: Selection, **said: str) -> tuple[Message, ...]:
        """The messages of a task on selected code; ``said`` are its further variables."""
        return self.prompts.render(
            task,
            selection.language.id,
            language=selection.language.name,
            fence=selection.fence,
            code=selection.code.rstrip("\n"),
            related=selection.related_text,
            **said,
        )


def fence_of(language: Language) -> str:
    """The word after three backticks."""
    return _FENCES.get(language.id, language.id)


class _InLanguage:
    """What a document or a part of it has by its language."""

    __slots__ = ()
    language: Language

    @property
    def fence(self) -> str:
        """The word after three backticks."""
        return fence_of(self.language)


class _WithRelated:
    """What a part of a document has by what it uses of others."""

    __slots__ = ()
    related: tuple[Snippet, ...]

    @property
    def related_text(self) -> str:
        """The stubs of other files as one text."""
        return "\n".join(file.text for file in self.related).strip()


@dataclass(frozen=True, slots=True)
class FileTarget(_InLanguage):
    """A document.

    Attributes:
        path: the document's path relative to the workspace, with forward slashes.
        neighbours: reads the texts of some files of the same language in the same folder.
    """

    snapshot: Snapshot
    language: Language
    path: PurePosixPath
    neighbours: Callable[[], Sequence[str]] = tuple

    @property
    def name(self) -> str:
        """What people call it."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class ClassTarget(_InLanguage):
    """A class in a document; the attributes are those of `FileTarget`."""

    snapshot: Snapshot
    language: Language
    scope: ClassScope
    path: PurePosixPath
    neighbours: Callable[[], Sequence[str]] = tuple

    @property
    def name(self) -> str:
        """What people call it."""
        return self.scope.name


@dataclass(frozen=True, slots=True)
class Target(_InLanguage, _WithRelated):
    """A function in a document; the other attributes are those of `FileTarget`.

    Attributes:
        related: stubs of what the document uses from other files.
    """

    snapshot: Snapshot
    language: Language
    scope: FunctionScope
    path: PurePosixPath
    related: tuple[Snippet, ...] = ()
    neighbours: Callable[[], Sequence[str]] = tuple

    @property
    def name(self) -> str:
        """What people call it."""
        return self.scope.name

    @property
    def code(self) -> str:
        """The function's source, moved to column 0, with ``\\n`` as line end."""
        return at_column_0(self.scope.indentation + self.snapshot.text[self.scope.start : self.scope.end])

    @property
    def lines(self) -> range:
        """The function's lines, 1-based."""
        lines = self.snapshot.lines
        return range(lines.line_of(self.scope.start) + 1, lines.line_of(self.scope.end) + 2)


@dataclass(frozen=True, slots=True)
class Selection(_InLanguage, _WithRelated):
    """Whole statements of a document, in whole lines; the other attributes are those of `Target`.

    Attributes:
        start, end: from the first statement's first character to the last one's end.
        name: what people call it.
    """

    snapshot: Snapshot
    language: Language
    start: int
    end: int
    name: str
    path: PurePosixPath
    related: tuple[Snippet, ...] = ()

    @property
    def indentation(self) -> str:
        """The blanks before the first statement."""
        return self.snapshot.lines.indentation(self.snapshot.lines.line_of(self.start))

    @property
    def code(self) -> str:
        """The statements, moved to column 0, with ``\\n`` as line end."""
        return at_column_0(self.indentation + self.snapshot.text[self.start : self.end])


@dataclass(frozen=True, slots=True)
class Problem:
    """What a tool says of a line."""

    message: str
    line: str

    @property
    def headline(self) -> str:
        """The first line of the message; a few words of ours where there is none."""
        return (self.message.strip().splitlines() or ["a problem without a name"])[0]


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A checked change of one file.

    Attributes:
        path: absolute; None for the target's own document.
        creates: whether that file is new.
        edits: against ``before``.
        before: the text of another file as it was read; empty for the target's own document and for a new file.
        notes: what a person should know about it, a sentence each.
        preview: whether it is to be looked at before it is applied, where the editor can show it.
    """

    title: str
    edits: tuple[TextEdit, ...]
    path: Path | None = None
    creates: bool = False
    before: str = ""
    notes: tuple[str, ...] = ()
    timings: Timings = field(default_factory=Timings)
    preview: bool = False


def find_target(snapshot: Snapshot, offset: int, path: PurePosixPath) -> Target:
    """The function around a cursor.

    Raises:
        RefusedError: there is none, or the language's functions are not known.
    """
    language = _known_language(snapshot)
    scope = enclosing_function(snapshot, offset)
    if scope is None:
        raise RefusedError("There is no function at the cursor.", hint="Put the cursor into one.")
    return Target(snapshot, language, scope, path)


def find_class(snapshot: Snapshot, offset: int, path: PurePosixPath) -> ClassTarget:
    """The class around a cursor. Raises RefusedError as `find_target` does."""
    language = _known_language(snapshot)
    scope = enclosing_class(snapshot, offset)
    if scope is None:
        raise RefusedError("There is no class at the cursor.", hint="Put the cursor into one.")
    return ClassTarget(snapshot, language, scope, path)


def find_selection(snapshot: Snapshot, start: int, end: int, path: PurePosixPath) -> Selection:
    """The statements that a selection touches; of an empty one, the function around it.

    Raises:
        RefusedError: there is nothing there, or the language is not known.
    """
    language = _known_language(snapshot)
    if start == end:
        scope = enclosing_function(snapshot, start) or enclosing_class(snapshot, start)
        if scope is None:
            raise RefusedError("There is no function at the cursor.", hint="Put the cursor into one, or select code.")
        return Selection(snapshot, language, scope.full_start, scope.end, scope.name, path)
    found = whole_statements(snapshot, start, end)
    if found is None:
        raise RefusedError("There is no code in the selection.", hint="Select some.")
    lines = snapshot.lines
    first, last = lines.line_of(found[0]) + 1, lines.line_of(found[1] - 1) + 1
    name = f"line {first}" if first == last else f"lines {first} to {last}"
    return Selection(snapshot, language, *found, name, path)


def find_file(snapshot: Snapshot, _offset: int, path: PurePosixPath) -> FileTarget:
    """The whole document. Raises RefusedError if the language's functions are not known."""
    return FileTarget(snapshot, _known_language(snapshot), path)


def _known_language(snapshot: Snapshot) -> Language:
    if snapshot.is_too_long:
        raise RefusedError("This file is too long for that.", hint="Completion works there all the same.")
    if snapshot.language is None or snapshot.tree is None or not snapshot.language.queries:
        name = snapshot.language.name if snapshot.language else snapshot.language_id or "this kind of file"
        raise RefusedError(
            f"Shardlight does not know the functions of {name} yet.", hint="Completion works there all the same."
        )
    return snapshot.language


def at_column_0(code: str) -> str:
    """Code without the indentation of its surroundings, with ``\\n`` as line end."""
    return textwrap.dedent(code.replace("\r\n", "\n"))


def add_timings(first: Timings, second: Timings) -> Timings:
    """The cost of two requests, one after the other; the time to the first token is the first one's."""
    tokens = first.predicted_tokens + second.predicted_tokens
    seconds = sum(t.predicted_tokens / t.predicted_per_second for t in (first, second) if t.predicted_per_second)
    return Timings(
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        reused_tokens=first.reused_tokens + second.reused_tokens,
        predicted_tokens=tokens,
        ttft_ms=first.ttft_ms or second.ttft_ms,
        total_ms=first.total_ms + second.total_ms,
        predicted_per_second=tokens / seconds if seconds else 0.0,
    )
