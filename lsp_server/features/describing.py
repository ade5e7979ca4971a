"""What a model is told of a function that it is to use: the code, and what that uses."""

from __future__ import annotations

import re

from lsp_server.features.types import Target
from lsp_server.syntax.outline import outline, render
from lsp_server.syntax.scopes import ClassScope, enclosing_class, functions

# A class is shown whole to the model if it is no longer than this many characters.
_CLASS_CHARS = 3000
# What else of the file is shown.
_STUB_CHARS = 1500


def described(target: Target) -> dict[str, str]:
    """The variables of a prompt on a function and its use."""
    return {
        "language": target.language.name,
        "fence": target.fence,
        "name": f"{owner}.{target.name}" if (owner := owner_of(target)) else target.name,
        "code": shown_code(target),
        "related": _definitions(target),
    }


def owner_of(target: Target) -> str | None:
    """The class that a method is made or called by."""
    return target.scope.class_name.split(".")[0] if target.scope.class_name else None


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
