"""What a function or a piece of code is for and how it works, or what a problem there means, in a few sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.postprocess.markdown import harmless
from lsp_server.features.postprocess.sentences import worth_reading
from lsp_server.features.safety import warnings
from lsp_server.features.types import Problem, Selection, Target, Tools
from lsp_server.features.unknown_names import meant_name, missing_module, unknown_name
from lsp_server.inference.backend import Timings
from lsp_server.syntax.comments import without_comments
from lsp_server.syntax.names import names_in
from lsp_server.syntax.snapshot import Snapshot

# What ends a paragraph.
_PARAGRAPH = ("\n\n", "\n**", "\n#")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Markdown for a person.

    Attributes:
        lines: the names in the code → where each stands first, 1-based.
    """

    markdown: str
    timings: Timings
    lines: Mapping[str, int]


async def explain(target: Target, tools: Tools) -> Explanation:
    """Explain a function.

    The facts that the syntax tree knows (the signature, the errors raised) are ours; the sentences are the model's.

    Raises:
        RefusedError: the model had nothing to say.
    """
    scope = target.scope
    messages = tools.prompts.render(
        "explain",
        target.language.id,
        language=target.language.name,
        fence=target.fence,
        code=target.code.rstrip("\n"),
        related=target.related_text,
    )
    guide = Guide(tools, messages, phase=f"Explaining {scope.name}")
    told = await _told(guide, f"`{scope.name}`")
    if not told:
        raise RefusedError(f"The model had nothing to say about {scope.name}.", hint="Try again, or a larger model.")
    errors: list[str] = []
    if scope.raises:
        guide.write("\n\n**Errors:**\n")
    for name in scope.raises:
        guide.write(f"- `{name}` if")
        text = (await guide.fill(stop=("\n",), max_tokens=48)).strip()
        guide.write("\n")
        errors.append(f"- `{name}` if {text.rstrip('.')}." if text else f"- `{name}`")
    signature = without_comments(Snapshot.open(scope.signature, target.language.id))
    sections = [f"### `{_on_a_line(signature)}`", *told]
    if errors:
        sections.append("**Errors:**\n" + "\n".join(errors))
    lines = _lines(target.snapshot, scope.start, scope.end)
    lines.pop(scope.name, None)
    return Explanation(harmless("\n\n".join(sections)) + "\n", guide.timings, lines)


async def explain_code(selection: Selection, tools: Tools) -> Explanation:
    """Explain selected code. Raises RefusedError if the model had nothing to say."""
    guide = Guide(tools, tools.prompt_of("explain", selection), phase=f"Explaining {selection.name}")
    said = await _told(guide, "This code")
    warned = warnings(selection.snapshot, selection.start, selection.end)
    said += ["**Careful:**\n" + "\n".join(f"- {one}" for one in warned)] if said and warned else []
    # What is selected is a definition, or lines.
    name = f"`{selection.name}`" if " " not in selection.name else selection.name.capitalize()
    return _explanation(f"### {name}", said, selection, guide)


async def explain_problem(
    selection: Selection, problem: Problem, tools: Tools, *, places: Sequence[str] = ()
) -> Explanation:
    """Explain what a tool says of a line of the selected code. Raises RefusedError as `explain_code` does.

    Of a name that is not defined no model is asked where it is plain which one is meant.

    Args:
        places: Markdown of where it happened, and of where that was called from, to be shown with it.
    """
    messages = tools.prompt_of("explain_problem", selection, problem=problem.message, line=problem.line.strip())
    guide = Guide(tools, messages, phase=f"Explaining a problem in {selection.name}")
    said = _undefined(selection, problem)
    # A small model keeps to the point when it has to end these sentences.
    openings = (("", "This means"), ("**Why here:** ", "It happens because"), ("**To mend it:** ", "You can"))
    for heading, opening in () if said else openings:
        guide.write(heading)
        text = await _sentences(guide, opening, *said, stop=("\n",), max_tokens=80)
        guide.write("\n\n")
        said += [f"{heading}{text}"] if text else []
    heading = f"### {problem.headline}"
    if said and places:
        said = [f"At {places[0]}", *said]
        said += ["**It came from:**\n" + "\n".join(f"- {place}" for place in places[1:])] if places[1:] else []
    return _explanation(heading, said, selection, guide)


def _undefined(selection: Selection, problem: Problem) -> list[str]:
    """What can be said of a name that is not defined without asking; nothing if it is not plain what is meant."""
    name, meant, module = unknown_name(problem), meant_name(selection, problem), missing_module(selection, problem)
    if meant:
        return [
            f"This means that nothing is called `{name}` here.",
            f"**Why here:** It looks like a slip of the keys: there is `{meant}`.",
            f"**To mend it:** Write `{meant}`.",
        ]
    if not module:
        return []
    return [
        f"This means that nothing is called `{name}` here.",
        f"**Why here:** `{module}` is a module of Python's own, and is not imported.",
        f"**To mend it:** Add `import {module}`.",
    ]


def _explanation(heading: str, said: list[str], selection: Selection, guide: Guide) -> Explanation:
    if not said:
        raise RefusedError(
            f"The model had nothing to say about {selection.name}.", hint="Try again, or a larger model."
        )
    lines = _lines(selection.snapshot, selection.start, selection.end)
    return Explanation(harmless("\n\n".join((heading, *said))) + "\n", guide.timings, lines)


def _lines(snapshot: Snapshot, start: int, end: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names_in(snapshot, start, end):
        found.setdefault(name.text, snapshot.lines.line_of(name.start) + 1)
    return found


def _on_a_line(signature: str) -> str:
    """A signature without the layout of its lines, and without what only begins the body."""
    line = re.sub(r",?\s+([)\]])", r"\1", re.sub(r"([(\[])\s+", r"\1", " ".join(signature.split())))
    return line.rstrip(" :{")


async def _sentences(
    guide: Guide, opening: str, *said: str, stop: tuple[str, ...], max_tokens: int, repeat_penalty: float = 1.0
) -> str:
    """What the model has to say after the first words, without what is not worth reading; may be empty.

    Args:
        said: what stands before it.
    """
    guide.write(opening)
    text = await guide.fill(stop=stop, max_tokens=max_tokens, repeat_penalty=repeat_penalty)
    if not text.strip():
        return ""
    return worth_reading(f"{opening}{text}", known=guide.shown, complete=guide.complete, said=said)


async def _told(guide: Guide, opening: str) -> list[str]:
    """What code is for, and how it works; a paragraph each, as far as there is something to say."""
    purpose = await _sentences(guide, opening, stop=("\n",), max_tokens=80)
    guide.write("\n\n**How it works:** ")
    # The begun sentence keeps the model from beginning with a blank line, which would end it at once.
    steps = await _sentences(guide, "It", purpose, stop=_PARAGRAPH, max_tokens=220, repeat_penalty=1.05)
    return [*([purpose] if purpose else []), *([f"**How it works:** {steps}"] if steps else [])]
