"""A whole function rewritten by the model, and the checks that every rewriting must pass."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from lsp_server.errors import RefusedError
from lsp_server.features.guided import ask_twice
from lsp_server.features.postprocess.code import reindent, strip_answer
from lsp_server.features.postprocess.imports import needed_imports, newly_unknown, without_imports
from lsp_server.features.types import Target, Tools, at_column_0
from lsp_server.inference.backend import Timings
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.imports import import_edit
from lsp_server.syntax.names import names_in
from lsp_server.syntax.python_tree import bare
from lsp_server.syntax.scopes import FunctionScope, functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, detect_newline
from lsp_server.text.positions import split_lines

# Words before a name that say who may use it, and how.
_MODIFIERS = frozenset(
    [
        "export",
        "default",
        "public",
        "protected",
        "private",
        "internal",
        "static",
        "abstract",
        "final",
        "override",
        "virtual",
        "pub",
        "get",
        "set",
        "*",
        "suspend",
        "unsafe",
        "inline",
        "operator",
        "const",
    ]
)
# Languages whose signatures say nothing of types, or need not; TypeScript's change where a result is waited for.
_UNTYPED = frozenset(
    ["python", "javascript", "javascriptreact", "typescript", "typescriptreact", "ruby", "lua", "php", "shellscript"]
)


async def rewrite(
    task: str,
    target: Target,
    tools: Tools,
    *,
    phase: str,
    becomes_async: bool = False,
    check: Callable[[Snapshot], Awaitable[str]] | None = None,
) -> tuple[tuple[TextEdit, ...], Timings]:
    """Ask for the function anew, after the prompt of ``task``; once more, with the reason, if that cannot be used.

    Args:
        becomes_async: callers have to wait for the function afterwards.
        check: says what is wrong with a document whose rewriting passes all other checks, a sentence; empty if nothing
            is.

    Returns:
        the edits of the function, and of the imports that it needs; none if nothing changed; and what it cost.

    Raises:
        RefusedError: the answer is not that function: cut off, with syntax errors, another name, other parameters or
            decorators; it did not pass the check; or the function holds text that cannot be moved to column 0 and back.
    """
    scope, snapshot = target.scope, target.snapshot
    before = snapshot.text[scope.start : scope.end]
    if not _same_lines(reindent(target.code, scope.indentation, detect_newline(snapshot.text)), before):
        raise RefusedError(f"{scope.name} holds lines that must not be indented, so it was left as it is.")
    language = target.language
    messages = tools.prompts.render(
        task, language.id, language=language.name, fence=target.fence, code=target.code.rstrip("\n")
    )

    def taken(answer: str) -> tuple[tuple[TextEdit, ...] | None, str]:
        edits = _edits(answer, target)
        fault = _fault(target, edits, becomes_async=becomes_async) if edits else ""
        return (None, fault) if fault else (edits, "")

    async def checked(edits: tuple[TextEdit, ...]) -> str:
        return await check(snapshot.edited(list(edits), snapshot.version)) if check and edits else ""

    return await ask_twice(
        tools,
        messages,
        target,
        taken,
        phase=phase,
        # An honest rewriting is about as long as the original; a token is rarely shorter than two characters.
        max_tokens=len(target.code) // 2 + 128,
        refusal=f"What came back for {scope.name} cannot be used:",
        hint="Try again.",
        check=checked,
    )


def _edits(answer: str, target: Target) -> tuple[TextEdit, ...]:
    """The edit of the function, behind that of the imports that it needs; none if nothing changes."""
    scope, snapshot = target.scope, target.snapshot
    code, brought = without_imports(strip_answer(answer), target.language.id)
    code = _function_alone(code, target)
    # A small model forgets what stands before a function.
    if (exported := re.match(r"export (default )?", target.code)) and not code.startswith("export"):
        code = exported[0] + code
    new_text = reindent(code, scope.indentation, detect_newline(snapshot.text))
    before = snapshot.text[scope.start : scope.end]
    if new_text == before or (target.language.id == "python" and _is_as_it_was(code, target.code)):
        return ()
    edit = TextEdit(scope.start, scope.end, new_text)
    return (*import_edit(needed_imports(brought, edit, snapshot), snapshot), edit)


def _is_as_it_was(code: str, before: str) -> bool:
    """Whether Python code differs in nothing but layout, comments, documentation and annotations."""
    was = bare(before, annotations=False)
    return was is not None and bare(code, annotations=False) == was


def _same_lines(one: str, other: str) -> bool:
    return [line.rstrip() for line in split_lines(one)] == [line.rstrip() for line in split_lines(other)]


def _function_alone(code: str, target: Target) -> str:
    """The function without what else an answer holds; all of it where the language has no methods outside a class.

    Also where the function uses what stands beside it: then it cannot be taken alone.
    """
    answered = Snapshot.open(code, target.language.id)
    found = next((f for f in functions(answered) if f.name == target.scope.name), None)
    if found is None or error_count(answered):
        return code
    snapshot = target.snapshot
    there = {name.text for name in names_in(snapshot, 0, len(snapshot.text))}
    beside = (*names_in(answered, 0, found.start), *names_in(answered, found.end, len(code)))
    used = {name.text for name in names_in(answered, found.start, found.end)}
    if {name.text for name in beside} & used - there - {found.name}:
        return code
    return at_column_0(found.indentation + code[found.start : found.end]).rstrip("\n")


def _fault(target: Target, edits: tuple[TextEdit, ...], *, becomes_async: bool) -> str:
    """What is wrong unless there is a function now that others can use as they did before."""
    scope, snapshot = target.scope, target.snapshot
    after = snapshot.edited(list(edits), snapshot.version)
    start = scope.start + sum(len(edit.new_text) for edit in edits[:-1] if edit.start <= scope.start)
    end = start + len(edits[-1].new_text)
    written = next((f for f in functions(after) if (f.start, f.end) == (start, end)), None)
    if written is None or error_count(after) > error_count(snapshot):
        return f"It is no sound {target.language.name}."
    if _interface(written, after) != _interface(scope, snapshot):
        return f"It would change the signature of {scope.name}."
    if written.is_async != (scope.is_async or becomes_async):
        return f"{scope.name} {'has to be' if becomes_async else 'would no longer be'} async."
    if lost := [
        p.name for p, now in zip(scope.parameters, written.parameters, strict=True) if p.default and not now.default
    ]:
        return f"{lost[0]} would have no default any more."
    if scope.docstring_start is not None and scope.docstring_start > scope.start and written.docstring_start is None:
        return f"The documentation of {scope.name} would be lost."
    unknown = newly_unknown(snapshot, after)
    return f"{unknown} is not known there." if unknown else ""


def _interface(scope: FunctionScope, snapshot: Snapshot) -> tuple[object, ...]:
    """What others rely on, but for whether it is awaited: the name, what it takes and gives, modifiers, decorators."""
    language = snapshot.language
    decorators = snapshot.text[scope.start : snapshot.text.index(scope.signature, scope.start)].split()
    head = scope.signature.partition(scope.name)[0]
    modifiers = set(re.findall(r"\w+|\*", head)) & _MODIFIERS
    yields = bool(re.search(r"\byield\b", snapshot.text[scope.body_start : scope.body_end]))
    # Where types are part of a signature it stays as it is.
    typed = language is not None and language.id not in _UNTYPED
    said = re.sub(r"\s|\b(?:export|default|async)\b", "", scope.signature) if typed else ""
    names = [parameter.name for parameter in scope.parameters]
    plain = [word for word in decorators if word != "async"]
    return scope.name, scope.class_name, names, modifiers, yields, said, plain
