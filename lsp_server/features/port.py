"""Code written anew in another language, into a file of its own beside the old one."""

from __future__ import annotations

import re
from pathlib import Path

from lsp_server.errors import RefusedError
from lsp_server.features.guided import ask_twice
from lsp_server.features.postprocess.code import strip_answer, without_examples
from lsp_server.features.types import FileEdit, Selection, Tools
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.languages import LANGUAGES, Language
from lsp_server.syntax.scopes import scopes
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit

# Those with functions that can be checked.
PORTED_LANGUAGES: tuple[Language, ...] = tuple(one for one in LANGUAGES if one.queries and one.id != "sql")


async def port(selection: Selection, path: Path, wanted: str, tools: Tools) -> FileEdit:
    """Write the selected code in another language, into a new file beside its own.

    Args:
        path: of the selection's document, absolute.
        wanted: the language's name or id, in any case.

    Raises:
        RefusedError: the language is not known, the code is in it already, there is no room for the new file, or
            nothing usable came back in two tries.
    """
    to = _language(wanted)
    if to.id == selection.language.id:
        raise RefusedError(f"This is {to.name} already.")
    place = _place(path, selection, to)
    messages = tools.prompt_of("port", selection, to=to.name)
    defined = scopes(Snapshot.open(selection.code, selection.language.id))
    names = {_spelling(one.name) for one in defined if not one.indentation}
    code, timings = await ask_twice(
        tools,
        messages,
        selection,
        lambda answer: _taken(answer, to, names),
        phase=f"Writing {selection.name} in {to.name}",
        max_tokens=len(selection.code) + 512,
        refusal=f"What came back for {selection.name} cannot be used:",
        hint="Try again, or a larger model.",
        language=to,
    )
    note = "Nothing was run: read it before you use it."
    return FileEdit(f"Write {selection.name} in {to.name}", (TextEdit(0, 0, code),), place, True, "", (note,), timings)


def _language(wanted: str) -> Language:
    key = wanted.strip().lower()
    for one in PORTED_LANGUAGES:
        if key in (one.id.lower(), one.name.lower(), *one.aliases, *(e.lstrip(".") for e in one.extensions)):
            return one
    names = ", ".join(one.name for one in PORTED_LANGUAGES)
    raise RefusedError(f"{wanted.strip() or 'No language'} is not known here.", hint=f"Say one of {names}.")


def _place(path: Path, selection: Selection, to: Language) -> Path:
    """A file that is not there yet."""
    stem = path.stem
    candidates = [stem, *([f"{stem}_{selection.name}"] if selection.name.isidentifier() else [])]
    places = (path.with_name(f"{name}{to.extensions[0]}") for name in candidates)
    free = next((place for place in places if not place.exists()), None)
    if free is None:
        raise RefusedError(f"{path.with_suffix(to.extensions[0]).name} is there already.", hint="Rename it first.")
    return free


def _taken(answer: str, to: Language, names: set[str]) -> tuple[str | None, str]:
    """The code of an answer, or why it cannot be used."""
    code = without_examples(strip_answer(answer), to.id)
    snapshot = Snapshot.open(code, to.id)
    if not code.strip():
        return None, "It is empty."
    if error_count(snapshot):
        return None, f"It is no sound {to.name}."
    missing = names - {_spelling(one.name) for one in scopes(snapshot)}
    # A constructor is called otherwise in each language.
    missing -= {"init", "constructor", "new", "initialize", "construct", "main"}
    if missing:
        return None, f"{sorted(missing)[0]} is missing."
    return code, ""


def _spelling(name: str) -> str:
    """A name without what languages spell otherwise: ``total_price`` and ``TotalPrice`` are one."""
    return re.sub(r"[^a-z0-9]", "", name.split(".")[-1].lower())
