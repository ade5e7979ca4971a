"""A document as it was at one version, with its tree."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar, cast

import tree_sitter

from lsp_server.syntax import grammars, languages
from lsp_server.syntax.languages import Language
from lsp_server.text.edits import TextEdit, apply_edits
from lsp_server.text.positions import LineIndex, utf8

T = TypeVar("T")

_LINE_END = re.compile(r"\r?\n")


# A hundred times of what parsing takes on a slow machine. With some broken code Kotlin's grammar does not come to an
# end, and takes all memory there is.
_PARSE_S, _PARSE_S_PER_BYTE = 0.5, 20e-6
_ENDLESS = frozenset({"kotlin"})
_PIECE = 1 << 16
_MOST_EDITS = 1000
# What is longer was made by a program. Its tree, and what is made of it, would take seconds at each keystroke.
LONGEST = 1_000_000


class _InputEdit(NamedTuple):
    """The arguments of ``tree_sitter.Tree.edit``."""

    start_byte: int
    old_end_byte: int
    new_end_byte: int
    start_point: tuple[int, int]
    old_end_point: tuple[int, int]
    new_end_point: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Earlier(Generic[T]):
    """What was derived from a document before it was edited, and the tree and the lines that it had then."""

    value: T
    tree: tree_sitter.Tree
    lines: LineIndex


class Snapshot:
    """An immutable document: text, version, language, and a tree that is made when it is first asked for.

    Safe to share between threads. Opening and editing cost no parse; an edited snapshot reuses the latest tree that was
    made before it.

    Attributes:
        text: the whole text.
        lines: its `LineIndex`.
        language_id: as the editor sent it.
        language: the row of the language table; None if it has none.
        version: the editor's version number.
    """

    def __init__(
        self,
        text: str,
        language_id: str,
        version: int,
        *,
        _lines: LineIndex | None = None,
        _stale: tuple[tree_sitter.Tree, tuple[_InputEdit, ...]] | None = None,
        _earlier: dict[Callable[..., Any], Earlier[Any]] | None = None,
    ) -> None:
        self.text = text
        self.lines = _lines or LineIndex(text)
        self.language_id = language_id
        self.language: Language | None = languages.language(language_id)
        self.version = version
        self._lock = threading.Lock()
        self._tree: tree_sitter.Tree | None = None
        self._stale = _stale
        self._gave_up = self.is_too_long
        # One lock each: who needs the tree, or something else that is derived, does not wait for what takes long.
        self._deriving: dict[Callable[..., Any], threading.Lock] = {}
        self._derived: dict[Callable[..., Any], Any] = {}
        # The latest only, and not its snapshot, which would keep all that it knows.
        self._earlier = _earlier or {}

    @classmethod
    def open(cls, text: str, language_id: str, version: int = 0) -> Snapshot:
        """A document as the editor opened it; any ``language_id`` will do."""
        return cls(text, language_id, version)

    def edited(self, edits: Sequence[TextEdit], version: int) -> Snapshot:
        """The document after ``edits``, whose offsets all mean this snapshot's text.

        Raises:
            ValueError: two edits overlap, or one lies outside the text.
        """
        text = apply_edits(self.text, edits)
        with self._lock:
            stale = (self._tree, ()) if self._tree else self._stale
            earlier = dict(self._earlier)
        # Nobody has looked at the syntax for long: to move so much costs more than to parse.
        stale = stale if stale and len(stale[1]) < _MOST_EDITS else None
        if stale:
            # The last edit first: then none moves the places that the others mean.
            ordered = sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True)
            if len(ordered) == 1:
                ordered = [self._with_line_end(ordered[0])]
            stale = (stale[0], (*stale[1], *(self._input_edit(edit) for edit in ordered)))
        first = min((edit.start for edit in edits), default=0)
        last = max((edit.end for edit in edits), default=0)
        lines = self.lines.replaced(first, last, text)
        return Snapshot(text, self.language_id, version, _lines=lines, _stale=stale, _earlier=earlier)

    @property
    def is_too_long(self) -> bool:
        """Whether nobody looks at its syntax."""
        return len(self.text) > LONGEST

    @property
    def tree(self) -> tree_sitter.Tree | None:
        """The syntax tree; None if there is no grammar for the language, or the text takes it too long."""
        with self._lock:
            if self._tree is None and self.language and not self._gave_up:
                grammar = grammars.load(self.language)
                self._tree = self._parse(grammar) if grammar else None
                self._stale = None
            return self._tree

    def derived(self, compute: Callable[[Snapshot], T]) -> T:
        """``compute(self)``, worked out once: for pure functions of a snapshot that several callers need.

        What is derived may derive something else.
        """
        return self._once(compute, lambda: compute(self))

    def updated(self, compute: Callable[[Snapshot, Earlier[T] | None], T]) -> T:
        """As `derived`, for what is quicker made of what it was before the latest edits, if that is known."""

        def make() -> T:
            value = compute(self, self._earlier.get(compute))
            if tree := self.tree:
                with self._lock:
                    self._earlier[compute] = Earlier(value, tree, self.lines)
            return value

        return self._once(compute, make)

    def span(self, node: tree_sitter.Node) -> tuple[int, int]:
        """A node's start and end as offsets."""
        return self.lines.offset_of_byte(node.start_byte), self.lines.offset_of_byte(node.end_byte)

    def source(self, node: tree_sitter.Node) -> str:
        """A node's text."""
        start, end = self.span(node)
        return self.text[start:end]

    def _once(self, compute: Callable[..., T], make: Callable[[], T]) -> T:
        with self._lock:
            deriving = self._deriving.setdefault(compute, threading.Lock())
        with deriving:
            if compute not in self._derived:
                self._derived[compute] = make()
            return cast(T, self._derived[compute])

    def _parse(self, grammar: tree_sitter.Language) -> tree_sitter.Tree | None:
        # A parser is cheap to make and must not be shared between threads.
        parser, source = tree_sitter.Parser(grammar), utf8(self.text)
        old_tree: tree_sitter.Tree | None = None
        if self._stale:
            old_tree, edits = self._stale
            # The snapshot that made the old tree still shows it unedited.
            old_tree = old_tree.copy()
            for edit in edits:
                old_tree.edit(*edit)
        if self.language_id in _ENDLESS:
            tree = _parsed_in_time(parser, source, old_tree)
            self._gave_up = tree is None
            return tree
        return parser.parse(source, old_tree) if old_tree else parser.parse(source)

    def _with_line_end(self, edit: TextEdit) -> TextEdit:
        """The same change, with the line's end that follows it written anew.

        Python's grammar ends lines and blocks with tokens of no width. One that an edit touches has tree-sitter look
        for it among all that begins in its place, up to the rest of the file, which it then parses anew: a letter typed
        at the end of a block took 36 ms in 10,000 lines, and takes 4.
        """
        match = _LINE_END.match(self.text, edit.end)
        if match is None:
            return edit
        return TextEdit(edit.start, match.end(), edit.new_text + match.group())

    def _input_edit(self, edit: TextEdit) -> _InputEdit:
        start_byte = self.lines.byte_offset(edit.start)
        row, column = self.lines.point(edit.start)
        added = utf8(edit.new_text)
        last_line = len(added) - (added.rfind(b"\n") + 1)
        rows = added.count(b"\n")
        return _InputEdit(
            start_byte,
            self.lines.byte_offset(edit.end),
            start_byte + len(added),
            (row, column),
            self.lines.point(edit.end),
            (row + rows, last_line if rows else column + last_line),
        )


def _parsed_in_time(
    parser: tree_sitter.Parser, source: bytes, old_tree: tree_sitter.Tree | None
) -> tree_sitter.Tree | None:
    """The tree, or None where it takes too long.

    Of bytes that are given at once a parser does not ask how long it may go on; but to ask a node of a tree that was
    read in pieces for its text takes six times as long.
    """
    latest = time.monotonic() + _PARSE_S + _PARSE_S_PER_BYTE * len(source)

    def read(start: int, _point: object) -> bytes:
        return source[start : start + _PIECE]

    def is_over(_at: int, _has_error: bool) -> bool:
        return time.monotonic() > latest

    try:
        if old_tree:
            return parser.parse(read, old_tree, progress_callback=is_over)
        return parser.parse(read, progress_callback=is_over)
    except ValueError:
        return None
