"""The open notebooks: which documents are their cells, and in which order.

A cell's text is a document like any other, kept in ``Documents``. Kept here is what its URI does not tell: which
notebook it is in, and what stands around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types as lsp

from lsp_server.server.documents import Documents, path_of
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.positions import PositionEncoding

# Every kind of notebook, with all its cells.
SYNC = lsp.NotebookDocumentSyncOptions([lsp.NotebookDocumentFilterWithNotebook(notebook="*")], save=True)


class Notebooks:
    """The cells of notebooks by URI. Whoever changes them is told which documents that opened, changed and closed."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._cells: dict[str, list[lsp.NotebookCell]] = {}

    def open(self, notebook: lsp.NotebookDocument, texts: Iterable[lsp.TextDocumentItem]) -> list[str]:
        """A notebook was opened, with the texts of its cells; returns the documents that were opened."""
        self._cells[notebook.uri] = list(notebook.cells)
        return self._open(texts)

    def change(
        self, uri: str, cells: lsp.NotebookDocumentCellChanges, encoding: PositionEncoding
    ) -> tuple[list[str], list[str], list[str]]:
        """Cells came, went, moved, or have other contents; returns the documents opened, changed and closed."""
        if uri not in self._cells:
            return [], [], []
        opened, closed = [], []
        if structure := cells.structure:
            array = structure.array
            self._cells[uri][array.start : array.start + array.delete_count] = array.cells or []
            # A cell of another language is closed and opened again, in one notification.
            closed = self._close(structure.did_close or [])
            opened = self._open(structure.did_open or [])
        replaced = {cell.document: cell for cell in cells.data or []}
        self._cells[uri] = [replaced.get(cell.document, cell) for cell in self._cells[uri]]
        for text in cells.text_content or []:
            self._documents.change(text.document.uri, text.document.version, text.changes, encoding)
        return opened, [text.document.uri for text in cells.text_content or []], closed

    def close(self, uri: str, texts: Iterable[lsp.TextDocumentIdentifier]) -> list[str]:
        """A notebook was closed, and the texts of its cells; returns the documents that were closed."""
        self._cells.pop(uri, None)
        return self._close(texts)

    def cells(self, uri: str) -> list[str]:
        """The documents of a notebook's code cells, in its order."""
        return [cell.document for cell in self._cells.get(uri, []) if cell.kind is lsp.NotebookCellKind.Code]

    def joined(self, uri: str) -> Snapshot | None:
        """The code cells of a notebook in the language of most of them, as if they were one file; None without any."""
        cells = self.cells(uri)
        languages = Counter(snapshot.language_id for cell in cells if (snapshot := self._documents.get(cell)))
        if not languages:
            return None
        language_id = languages.most_common(1)[0][0]
        return Snapshot.open("\n\n".join(self._code(cells, language_id)), language_id)

    def at(self, path: Path) -> Snapshot | None:
        """`joined`, of the open notebook of a file. May be called from any thread."""
        uri = next((uri for uri in tuple(self._cells) if path_of(uri) == path), None)
        return self.joined(uri) if uri else None

    def files(self) -> list[tuple[Path, Snapshot]]:
        """The open notebooks that have a file and code, each `joined`."""
        found = ((path_of(uri), self.joined(uri)) for uri in self._cells)
        return [(path, snapshot) for path, snapshot in found if path and snapshot]

    def path_of(self, uri: str) -> Path | None:
        """The file of the notebook that a cell is in; None for a notebook without a file, and for what is no cell."""
        notebook = self.notebook_of(uri)
        return path_of(notebook) if notebook else None

    def notebook_of(self, uri: str) -> str | None:
        """The notebook that a document is a cell of; None for what is no cell."""
        return next((n for n, cells in self._cells.items() if any(cell.document == uri for cell in cells)), None)

    def around(self, uri: str) -> tuple[str, str]:
        """What the notebook's code says before and after a cell, as if all of it was one file.

        Cells of other languages and blank ones are left out. A blank line stands between cells, also towards this one.
        """
        notebook, own = self.notebook_of(uri), self._documents.get(uri)
        if notebook is None or own is None or uri not in (cells := self.cells(notebook)):
            return "", ""
        at = cells.index(uri)
        before, after = self._code(cells[:at], own.language_id), self._code(cells[at + 1 :], own.language_id)
        return "".join(f"{text}\n\n" for text in before), "".join(f"\n\n{text}" for text in after)

    def _code(self, cells: Iterable[str], language_id: str) -> list[str]:
        snapshots = [snapshot for uri in cells if (snapshot := self._documents.get(uri))]
        texts = (snapshot.text.strip("\r\n") for snapshot in snapshots if snapshot.language_id == language_id)
        return [text for text in texts if text.strip()]

    def _open(self, texts: Iterable[lsp.TextDocumentItem]) -> list[str]:
        opened = list(texts)
        for text in opened:
            self._documents.open(text)
        return [text.uri for text in opened]

    def _close(self, texts: Iterable[lsp.TextDocumentIdentifier]) -> list[str]:
        closed = [text.uri for text in texts]
        for uri in closed:
            self._documents.close(uri)
        return closed
