"""Bug hints: the model repairs a copy of the function; what it changed, and why, is the hint.

A small model is poor at saying where a bug is and good at writing the line as it should be. So it is asked for the
whole function, unchanged where it is correct. A difference that is small, and more than words, becomes a diagnostic
that carries its own fix.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.rewriting import rewrite
from lsp_server.features.types import Target, Tools, add_timings
from lsp_server.inference.backend import Priority, Timings
from lsp_server.syntax.checks import equal_without_docs
from lsp_server.text.edits import TextEdit, apply_edits, minimal_edits
from lsp_server.text.positions import LineIndex, split_lines

# A correction that touches more lines than this is a rewriting, not a bug that was found.
_MAX_CHANGED_LINES = 4


@dataclass(frozen=True, slots=True)
class BugHint:
    """A probable bug and its correction.

    Attributes:
        function_text: the function as it was looked at; the hint holds while this text stands in the document.
        start, end: what to underline, relative to ``function_text``.
        message: one sentence.
        fix_title: what the correction writes, in a few words.
        edits: the correction, relative to ``function_text``.
    """

    function_text: str
    start: int
    end: int
    message: str
    fix_title: str
    edits: tuple[TextEdit, ...]
    timings: Timings


async def find_bugs(target: Target, tools: Tools, *, priority: Priority = Priority.ACTION) -> BugHint | None:
    """Look for a bug in a function; None if none was found.

    Raises:
        BackendError: the model could not be asked.
    """
    scope, snapshot = target.scope, target.snapshot
    phase = f"Reading {scope.name}"
    try:
        edit, timings = await rewrite("bug_hints", target, tools, phase=phase, priority=priority)
    except RefusedError:
        return None
    if edit is None:
        return None
    before = snapshot.text[scope.start : scope.end]
    edits = tuple(minimal_edits(before, edit.new_text))
    after = snapshot.edited([edit], snapshot.version)
    if equal_without_docs(snapshot, after) or _changed_lines(before, edit.new_text) > _MAX_CHANGED_LINES:
        return None
    start, end = _underlined(before, edits)
    message, reason_timings = await _reason(target, tools, before, edits, priority)
    title = _change_in_words(before, edit.new_text)
    return BugHint(before, start, end, message, title, edits, add_timings(timings, reason_timings))


def _changed_lines(before: str, after: str) -> int:
    """Lines taken away or added, whichever are more."""
    old, new = split_lines(before), split_lines(after)
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    kept = sum(block.size for block in blocks)
    return max(len(old) - kept, len(new) - kept)


def _underlined(text: str, edits: tuple[TextEdit, ...]) -> tuple[int, int]:
    """The first changed line without its indentation; if that is blank, the nearest one above it."""
    lines = LineIndex(text)
    line = lines.line_of(edits[0].start)
    while line > 0 and not lines.line_text(line).strip():
        line -= 1
    return lines.line_start(line) + len(lines.indentation(line)), lines.line_end(line)


async def _reason(
    target: Target, tools: Tools, before: str, edits: tuple[TextEdit, ...], priority: Priority
) -> tuple[str, Timings]:
    """One sentence about the difference."""
    first, last = edits[0], edits[-1]
    start = before.rfind("\n", 0, first.start) + 1
    end = before.find("\n", last.end)
    end = len(before) if end < 0 else end
    shifted = [TextEdit(e.start - start, e.end - start, e.new_text) for e in edits]
    old = before[start:end]
    messages = tools.prompts.render(
        "bug_reason",
        target.language.id,
        language=target.language.name,
        fence=target.fence,
        code=target.code.rstrip("\n"),
        before=old.strip("\n"),
        after=apply_edits(old, shifted).strip("\n"),
    )
    guide = Guide(tools, messages, phase=f"Reading {target.scope.name}", priority=priority)
    # A small model only keeps to the point when it has to end this sentence.
    guide.write("This is wrong because")
    text = await guide.fill(stop=("\n",), max_tokens=60)
    sentence = re.split(r"(?<=[.!?])\s", text.strip())[0]
    return f"Possible bug: {sentence or 'the model would write this differently.'}", guide.timings


def _change_in_words(before: str, after: str) -> str:
    """The first line that the correction writes, for the title of the quick fix."""
    old = [line.strip() for line in split_lines(before)]
    written = next((line.strip() for line in split_lines(after) if line.strip() and line.strip() not in old), "")
    return f"Fix: `{written}`" if written else "Fix: remove the wrong lines"
