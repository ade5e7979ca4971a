"""A whole function rewritten by the model, and the checks that every rewriting must pass."""

from __future__ import annotations

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.postprocess.code import reindent, strip_answer
from lsp_server.features.types import Target, Tools
from lsp_server.inference.backend import Priority, Timings
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.scopes import FunctionScope, enclosing_function
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, detect_newline


async def rewrite(
    task: str, target: Target, tools: Tools, *, phase: str, priority: Priority = Priority.ACTION
) -> tuple[TextEdit | None, Timings]:
    """Ask for the function anew, after the prompt of ``task``; returns the edit, or None if nothing changed.

    Raises:
        RefusedError: the answer is not that function: cut off, with syntax errors, another name or other parameters.
    """
    messages = tools.prompts.render(
        task, target.language.id, language=target.language.name, fence=target.fence, code=target.code.rstrip("\n")
    )
    guide = Guide(tools, messages, phase=phase, priority=priority)
    guide.write(f"```{target.fence}\n")
    # An honest rewriting is about as long as the original; a token is rarely shorter than two characters.
    answer = await guide.fill(stop=("```",), max_tokens=len(target.code) // 2 + 128)
    if not guide.complete:
        raise RefusedError(f"The rewriting of {target.scope.name} did not come to an end.", hint="Try again.")
    code = strip_answer(answer)
    scope, snapshot = target.scope, target.snapshot
    found = _same_function(code, target)
    code = code[found.start : found.end]
    new_text = reindent(code, scope.indentation, detect_newline(snapshot.text))
    edit = TextEdit(scope.start, scope.end, new_text)
    if snapshot.text[edit.start : edit.end] == new_text:
        return None, guide.timings
    after = snapshot.edited([edit], snapshot.version)
    if error_count(after) > error_count(snapshot):
        raise RefusedError(f"The rewriting of {scope.name} would break the file's syntax.", hint="Try again.")
    return edit, guide.timings


def _same_function(code: str, target: Target) -> FunctionScope:
    """The rewritten function in an answer.

    Raises:
        RefusedError: it is not there, or its signature is another one.
    """
    scope = target.scope
    answered = Snapshot.open(code, target.language.id)
    at = code.find(scope.name)
    found = enclosing_function(answered, at) if at >= 0 else None
    if found is None and scope.class_name:
        raise RefusedError(
            f"{target.language.name}'s methods cannot be checked on their own, so {scope.name} was left as it is."
        )
    if found is None or error_count(answered):
        raise RefusedError(f"What came back for {scope.name} is not sound {target.language.name}.", hint="Try again.")
    if found.name != scope.name or [p.name for p in found.parameters] != [p.name for p in scope.parameters]:
        raise RefusedError(f"What came back would change the signature of {scope.name}.", hint="Try again.")
    return found
