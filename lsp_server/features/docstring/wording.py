"""The words of a documentation: asked for one line at a time, under headings and names of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lsp_server.errors import RefusedError
from lsp_server.features.docstring.documentation import Documentation, Entry
from lsp_server.features.docstring.prose import lower_first
from lsp_server.features.guided import Guide

# With such a word no sentence ends.
_UNFINISHED = re.compile(r"(?:,|\b(?:an?|and|if|its|or|than|the|when|which|whose))\s*\Z")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")


@dataclass(slots=True)
class Wording:
    """A documentation in the making, in Google's form, which models know best.

    Attributes:
        language: the id of the code's.
        name: of what is documented.
    """

    guide: Guide
    language: str
    name: str

    async def complete(self, doc: Documentation) -> Documentation:
        """The documentation with words wherever it has none.

        Raises:
            RefusedError: the model has no summary.
        """
        self.guide.write('"""')
        summary = await self._line(doc.summary)
        if not summary:
            raise RefusedError(f"The model had nothing to say about {self.name}.", hint="Try again, or a larger model.")
        doc = replace(doc, summary=_about(self.name, summary) if self.language == "go" else summary)
        doc = replace(doc, attributes=await self._entries("Attributes", doc.attributes))
        doc = replace(doc, parameters=await self._entries("Args", doc.parameters))
        doc = replace(doc, returns=await self._value("Returns", doc.returns))
        doc = replace(doc, yields=await self._value("Yields", doc.yields))
        doc = replace(doc, raises=await self._entries("Raises", doc.raises, " If"))
        return replace(doc, panics=await self._value("Panics", doc.panics, " If"))

    async def _entries(self, heading: str, entries: tuple[Entry, ...], opening: str = "") -> tuple[Entry, ...]:
        if not entries:
            return ()
        self.guide.write(f"\n{heading}:\n")
        return tuple([await self._entry(f"    {one.name or 'Error'}:", one, opening) for one in entries])

    async def _value(self, heading: str, value: Entry | None, opening: str = "") -> Entry | None:
        if value is None:
            return None
        self.guide.write(f"\n{heading}:\n")
        return await self._entry("   ", value, opening)

    async def _entry(self, head: str, one: Entry, opening: str) -> Entry:
        if one.text:
            self.guide.write(f"{head} {one.text}\n")
            return one
        self.guide.write(f"{head}{opening}")
        text = await self._line("")
        return replace(one, text=f"{opening.strip()} {lower_first(text)}" if text and opening else text)

    async def _line(self, known: str) -> str:
        if known:
            self.guide.write(f"{known}\n")
            return known
        text = await self._filled()
        self.guide.take_back(text)
        if _UNFINISHED.search(text):
            # The model breaks its lines as the files around it do.
            opening = f"{text.rstrip()}\n        "
            self.guide.write(opening)
            more = await self._filled()
            self.guide.take_back(opening + more)
            text = f"{text.rstrip()} {more.strip()}"
        # One sentence a line: what a small model adds after it is repetition or invention.
        sentence = _SENTENCE_END.split(text)[0]
        self.guide.write(f"{sentence}\n")
        return _clean(sentence)

    async def _filled(self) -> str:
        return await self.guide.fill(
            stop=("\n", '"""'), max_tokens=64, enough=lambda t: _SENTENCE_END.search(t) is not None
        )


def _about(name: str, summary: str) -> str:
    """A sentence as Go has it: it begins with what it is about."""
    if re.match(rf"{re.escape(name)}\b", summary, re.IGNORECASE):
        return name + summary[len(name) :]
    first, _, others = summary.partition(" ")
    if first.lower() in ("a", "an", "the"):
        return f"{name} is {lower_first(summary)}"
    verb = first.lower()
    if not verb.isalpha():
        return f"{name}: {summary}"
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        verb = f"{verb[:-1]}ies"
    elif verb.endswith(("ss", "x", "z", "ch", "sh", "o")):
        verb = f"{verb}es"
    elif not verb.endswith("s"):
        verb = f"{verb}s"
    return f"{name} {verb} {others}"


def _clean(text: str) -> str:
    """One line of words: no list mark, no type in front, a full stop behind."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"^[-*#:\s]+", "", text)
    # A type in front of the words.
    text = re.sub(r"^\(?[\[\]*&]*[A-Za-z_][\w\[\], .|<>]*\)?: (?=[A-Z])", "", text).rstrip(" ,;:-")
    text = re.sub(r"^[\w\[\]*&.<>,{}]{1,40} - (?=\w)", "", text)
    if not re.search(r"\w", text):
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else f"{text}."
