"""Our types → the protocol's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lsprotocol import types as lsp
from pygls import uris

from lsp_server.features.bug_hints import BugHint
from lsp_server.features.types import FileEdit
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit
from lsp_server.text.positions import LineIndex, PositionEncoding

SOURCE = "shardlight"
_HINT = "bug-hint"


def position(offset: int, lines: LineIndex, encoding: PositionEncoding) -> lsp.Position:
    """An offset as a position."""
    line, character = lines.position(offset, encoding)
    return lsp.Position(line, character)


def span(start: int, end: int, lines: LineIndex, encoding: PositionEncoding) -> lsp.Range:
    """Offsets as a range."""
    return lsp.Range(position(start, lines, encoding), position(end, lines, encoding))


def text_edits(
    edits: Iterable[TextEdit], lines: LineIndex, encoding: PositionEncoding
) -> list[lsp.TextEdit | lsp.AnnotatedTextEdit | lsp.SnippetTextEdit]:
    """Edits against a text."""
    return [lsp.TextEdit(span(e.start, e.end, lines, encoding), e.new_text) for e in edits]


def document_edit(
    edits: Iterable[TextEdit], uri: str, snapshot: Snapshot, encoding: PositionEncoding
) -> lsp.TextDocumentEdit:
    """Edits of one document; a snapshot of version -1 is a file that is not open."""
    version = None if snapshot.version < 0 else snapshot.version
    identifier = lsp.OptionalVersionedTextDocumentIdentifier(uri, version)
    return lsp.TextDocumentEdit(identifier, text_edits(edits, snapshot.lines, encoding))


def without_document_changes(edit: lsp.WorkspaceEdit) -> lsp.WorkspaceEdit:
    """The edit in the form that every client knows. A file that would be created is left to the client to create."""
    changes = {c.text_document.uri: c.edits for c in edit.document_changes or [] if isinstance(c, lsp.TextDocumentEdit)}
    return lsp.WorkspaceEdit(changes=changes)  # type: ignore[arg-type]


def drop_last_line_end(changes: Sequence[object]) -> None:
    """Take the last line end off the text of a file that is created."""
    created = {change.uri for change in changes if isinstance(change, lsp.CreateFile)}
    for change in changes:
        if isinstance(change, lsp.TextDocumentEdit) and change.text_document.uri in created and change.edits:
            last = change.edits[-1]
            if isinstance(last, (lsp.TextEdit, lsp.AnnotatedTextEdit)):
                last.new_text = last.new_text.removesuffix("\n").removesuffix("\r")


def to_be_confirmed(edit: lsp.WorkspaceEdit, label: str) -> lsp.WorkspaceEdit:
    """The edit, which the client is to show before it applies it."""
    annotation = "shardlight"
    for change in edit.document_changes or []:
        if isinstance(change, lsp.TextDocumentEdit):
            change.edits = [lsp.AnnotatedTextEdit(annotation, e.range, e.new_text) for e in change.edits]  # type: ignore[union-attr]
    edit.change_annotations = {annotation: lsp.ChangeAnnotation(label, needs_confirmation=True)}
    return edit


def workspace_edit(
    edit: FileEdit, uri: str, snapshot: Snapshot, other: Snapshot | None, encoding: PositionEncoding
) -> lsp.WorkspaceEdit:
    """An edit of the target's document, or of another file.

    Args:
        uri, snapshot: the target's document.
        other: the other file as it is (its version is -1 if it is not open), if the edit is for an existing one.
    """
    if edit.path is None:
        return lsp.WorkspaceEdit(document_changes=[document_edit(edit.edits, uri, snapshot, encoding)])
    other_uri = uris.from_fs_path(str(edit.path)) or ""
    change = document_edit(edit.edits, other_uri, other or Snapshot.open("", "", -1), encoding)
    if edit.creates:
        options = lsp.CreateFileOptions(overwrite=False, ignore_if_exists=False)
        return lsp.WorkspaceEdit(document_changes=[lsp.CreateFile(other_uri, options=options), change])
    return lsp.WorkspaceEdit(document_changes=[change])


def plain(range_: lsp.Range) -> dict[str, dict[str, int]]:
    """A range as it stands in the arguments of a command."""
    return {
        name: {"line": at.line, "character": at.character}
        for name, at in (("start", range_.start), ("end", range_.end))
    }


def is_ours(problem: lsp.Diagnostic) -> bool:
    """Whether a client speaks of one of our hints; ALE leaves out who has found it."""
    return problem.source == SOURCE or (problem.source is None and problem.code == _HINT)


def diagnostic(hint: BugHint, at: int, lines: LineIndex, encoding: PositionEncoding) -> lsp.Diagnostic:
    """A bug hint whose function stands at offset ``at``."""
    return lsp.Diagnostic(
        range=span(at + hint.start, at + hint.end, lines, encoding),
        message=hint.message,
        severity=lsp.DiagnosticSeverity.Warning,
        source=SOURCE,
        code=_HINT,
    )
