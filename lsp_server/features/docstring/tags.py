"""Documentation in tags: `@param`, `\\param`, `:param`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lsp_server.features.docstring.documentation import Documentation, Entry
from lsp_server.features.docstring.prose import prose, read_prose, stripped


@dataclass(frozen=True, slots=True)
class Tags:
    """How a language writes tags.

    Attributes:
        marker: what a tag begins with.
        dash: what stands between a parameter's name and the words.
        end: what stands behind a tag with its name.
        param, returns, yields, raises: the tags' names.
        attributes: the names of the tag for an attribute; the first one is written.
        types: how a type is written: in ``braces`` or ``before`` the name, or ``behind`` it in brackets; not at all
            if empty.
    """

    marker: str = "@"
    end: str = ""
    dash: str = " "
    param: str = "param"
    returns: str = "return"
    yields: str = "yields"
    raises: str = "throws"
    attributes: tuple[str, ...] = ("property",)
    types: str = ""

    def lines(self, doc: Documentation) -> list[str]:
        """A documentation in this form."""
        tags = [self._named(self.attributes[0], one) for one in doc.attributes]
        tags += [self._named(self.param, one) for one in doc.parameters]
        tags += [self._value(self.returns, doc.returns)] if doc.returns else []
        tags += [self._value(self.yields, doc.yields)] if doc.yields else []
        tags += [self._raised(one) for one in doc.raises]
        lines = prose(doc)
        rest = list(doc.rest)
        if rest and not rest[0].startswith(self.marker):
            lines, rest = [*lines, "", *rest], []
        return [*lines, *(["", *tags, *rest] if tags or rest else [])]

    def read(self, lines: Sequence[str]) -> Documentation:
        """What lines in this form say."""
        # Sphinx's roles, as :exc:`KeyError`, begin like its tags, and may begin a line.
        begins = re.compile(rf"\s*{re.escape(self.marker)}(?P<tag>\w+)\b(?!(?::\w+)*:`)")
        first = next((n for n, line in enumerate(lines) if begins.match(line)), len(lines))
        doc = read_prose([re.sub(rf"^\s*{re.escape(self.marker)}brief\s+", "", line) for line in lines[:first]])
        groups: list[list[str]] = []
        for line in lines[first:]:
            if begins.match(line) or not groups:
                groups.append([line])
            else:
                groups[-1].append(line)
        rest: list[str] = []
        for group in groups:
            tag, text = self._tag(group)
            if tag == "brief" and not doc.summary:
                doc = replace(doc, summary=text)
            elif tag in ("param", "arg", "parameter") and (entry := self._entry(text)):
                doc = replace(doc, parameters=(*doc.parameters, entry))
            elif tag in self.attributes and (entry := self._entry(text)):
                doc = replace(doc, attributes=(*doc.attributes, entry))
            elif tag in ("return", "returns", "yields", "yield"):
                said = self._read_value(text)
                doc = replace(doc, yields=said) if tag.startswith("yield") else replace(doc, returns=said)
            elif tag in ("throws", "throw", "raises", "raise", "exception") and text:
                name, _, words = text.lstrip("{[").replace("}", "", 1).replace("]", "", 1).partition(" ")
                doc = replace(doc, raises=(*doc.raises, Entry(name.rstrip(":"), words.strip())))
            else:
                rest += group
        return replace(doc, rest=tuple(stripped(rest)))

    def _named(self, tag: str, one: Entry) -> str:
        before = f"{{{one.type}}} " if self.types == "braces" and one.type else ""
        before = f"{one.type or 'mixed'} " if self.types == "before" else before
        behind = f" [{one.type}]" if self.types == "behind" and one.type else ""
        return f"{self.marker}{tag} {before}{one.name}{behind}{self.end}{self.dash}{one.text}".rstrip(" -")

    def _value(self, tag: str, one: Entry) -> str:
        kind = {"braces": f"{{{one.type}}}", "before": one.type, "behind": f"[{one.type}]"}.get(self.types, "")
        # Before the words a type is not told from them, and may be there.
        shown = kind if one.type and not one.text.startswith(f"{kind} ") else ""
        return " ".join(filter(None, (f"{self.marker}{tag}{self.end}", shown, one.text)))

    def _raised(self, one: Entry) -> str:
        name = {"braces": f"{{{one.name}}}", "behind": f"[{one.name}]"}.get(self.types, one.name)
        return f"{self.marker}{self.raises} {name}{self.end} {one.text}".rstrip()

    def _read_value(self, text: str) -> Entry:
        patterns = {"braces": r"\{(?!@)([^}]*)\}\s*(?:-\s*)?", "behind": r"\[([^\]]*)\]\s*(?:-\s*)?"}
        found = re.match(patterns.get(self.types, r"()"), text)
        return Entry("", text[found.end() :], found[1]) if found else Entry("", text)

    def _tag(self, group: Sequence[str]) -> tuple[str, str]:
        text = " ".join(line.strip() for line in group).strip()
        found = re.match(rf"{re.escape(self.marker)}(\w+)(?:\[[^\]]*\])?", text)
        return (found[1], text[found.end() :].lstrip(":").strip()) if found else ("", text)

    def _entry(self, text: str) -> Entry | None:
        patterns = {
            "braces": r"(?:\{(?P<type>[^}]*)\}\s+)?\[?(?P<name>[\w.$]+)(?:=[^\]]*)?\]?",
            "before": r"(?:(?P<type>[^\s$]+)\s+)?(?P<name>[&.]*\$\w+)",
            "behind": r"(?P<name>[*&]{0,2}\w+)(?:\s+\[(?P<type>[^\]]*)\])?",
        }
        pattern = patterns.get(self.types, r"(?P<type>)(?P<name>[*&$]{0,2}[\w.]+)")
        if self.marker == ":":
            pattern = r"(?:(?P<type>[\w.\[\], |]+)\s+)?(?P<name>\*{0,2}\w+):?"
        found = re.match(rf"{pattern}\s*(?:-\s+|:\s+|\s|$)", text)
        return Entry(found["name"], text[found.end() :].strip(), found["type"] or "") if found else None
