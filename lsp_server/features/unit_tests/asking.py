"""What a model is told of a function whose tests it is to write."""

from __future__ import annotations

import re

from lsp_server.features.types import Target, Tools
from lsp_server.features.unit_tests.heads import owner_of
from lsp_server.inference.backend import Message
from lsp_server.syntax.outline import outline, render
from lsp_server.syntax.scopes import ClassScope, enclosing_class, functions

# So many tests are asked for.
COUNT = 5
# A class is shown whole to the model if it is no longer than this many characters.
_CLASS_CHARS = 3000
# What else of the file is shown.
_STUB_CHARS = 1500


def messages(task: str, target: Target, framework: str, tools: Tools) -> tuple[Message, ...]:
    """The messages of a task: ``unit_tests`` or ``try_out``."""
    return tools.prompts.render(
        task,
        target.language.id,
        language=target.language.name,
        fence=target.fence,
        framework=framework,
        name=f"{owner}.{target.name}" if (owner := owner_of(target)) else target.name,
        count=COUNT,
        code=shown_code(target),
        related=_definitions(target),
    )


def shown_code(target: Target) -> str:
    """The function; for a method its class, without which it makes no sense."""
    around = enclosing_class(target.snapshot, target.scope.start)
    if target.scope.class_name and around and around.end - around.start <= _CLASS_CHARS:
        return target.snapshot.text[around.start : around.end].rstrip("\n")
    if around and around.name == target.scope.class_name and target.language.id == "python":
        return _with_constructor(around, target)
    return target.code.rstrip("\n")


def _with_constructor(around: ClassScope, target: Target) -> str:
    """A method of a large Python class: without how one is made no test can begin."""
    text = target.snapshot.text
    inside = (f for f in functions(target.snapshot) if around.start <= f.start < around.end)
    made = next((f for f in inside if f.name == "__init__" and f.start != target.scope.start), None)
    parts = [f"{scope.indentation}{text[scope.start : scope.end]}" for scope in (made, target.scope) if scope]
    return f"{around.signature.rstrip(':')}:\n" + "\n\n".join(parts)


def _definitions(target: Target) -> str:
    """Stubs of what the shown code uses, of this file and of others."""
    shown = shown_code(target)
    words = set(re.findall(r"\w+", shown)) - {target.scope.name, owner_of(target)}
    offered = (one for one in outline(target.snapshot) if one.kind != "attribute")
    own = tuple(one for one in offered if (one.container or one.name).split(".")[0] in words)
    stubs = render(own, target.language)
    if len(stubs) > _STUB_CHARS:
        stubs = ""
    return f"{stubs}\n{target.related_text}".strip()
