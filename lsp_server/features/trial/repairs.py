"""A call that fails because it is made in the wrong way, made in a right one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lsp_server.syntax.python_tree import called_name


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function of Python takes.

    Attributes:
        name: the function's.
        owner: the class of a method that is called on an object; empty for others.
        parameters: as they are written, without the one for the object.
    """

    name: str
    owner: str
    parameters: Sequence[str]

    def fits(self, call: ast.Call) -> bool:
        """Make a call have no more than what the function takes; whether anything was left out."""
        names = [name for name in self.parameters if not name.startswith("*") and name != "/"]
        positional = names[: self.parameters.index("*")] if "*" in self.parameters else names
        open_end = any(name.startswith("*") and len(name) > 1 and name[1] != "*" for name in self.parameters)
        open_names = any(name.startswith("**") for name in self.parameters)
        before = len(call.args), len(call.keywords)
        if not open_end:
            del call.args[len(positional) :]
        if not open_names:
            given = set(positional[: len(call.args)])
            call.keywords = [k for k in call.keywords if k.arg in names and k.arg not in given]
        return (len(call.args), len(call.keywords)) != before


def repairs(code: str, signature: Signature) -> Iterator[str]:
    """Other ways to write a piece of code, the closest first."""
    tree = ast.parse(code)
    changed = False
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = call.func
        if called_name(function) != signature.name:
            continue
        if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == signature.owner != "":
            # Called on the class, where there should be an object.
            function.value = ast.Call(function.value, [], [])
            changed = True
        changed |= signature.fits(call)
    if changed:
        yield ast.unparse(tree)
    made = tree.body[0] if len(tree.body) == 1 else None
    value = made.value if isinstance(made, ast.Assign) else None
    if (
        isinstance(value, ast.Call)
        and getattr(value.func, "id", "") == signature.owner
        and (value.args or value.keywords)
    ):
        value.args, value.keywords = [], []
        yield ast.unparse(tree)
