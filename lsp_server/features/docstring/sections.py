"""Documentation in sections under headings: Python's Google and NumPy forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lsp_server.features.docstring.documentation import Documentation, Entry
from lsp_server.features.docstring.prose import hanging, prose, read_prose, stripped, with_rest

_SECTIONS = {
    **dict.fromkeys(("attributes",), "attributes"),
    **dict.fromkeys(("args", "arguments", "parameters", "params", "other parameters", "keyword args"), "parameters"),
    **dict.fromkeys(("returns", "return"), "returns"),
    **dict.fromkeys(("yields", "yield"), "yields"),
    **dict.fromkeys(("raises", "exceptions"), "raises"),
}
_GOOGLE_HEADING = re.compile(r"([A-Z][A-Za-z ]{0,30}):")
_GOOGLE_ENTRY = re.compile(
    r"(?P<name>\*{0,2}[\w.]+)\s*(?:\((?P<type>[^()]*(?:\([^()]*\))?[^()]*)\))?\s*:(?:\s+(?P<text>.*))?"
)
_NUMPY_ENTRY = re.compile(r"(?P<name>\*{0,2}[\w., *]+?)(?:\s*:\s*(?P<type>.*))?")


def google(doc: Documentation) -> list[str]:
    def entry(one: Entry) -> str:
        kind = f" ({one.type})" if one.type else ""
        return f"    {one.name}{kind}: {one.text}".rstrip()

    lines = prose(doc)
    for heading, entries in (("Attributes", doc.attributes), ("Args", doc.parameters)):
        lines += ["", f"{heading}:", *map(entry, entries)] if entries else []
    for heading, value in (("Returns", doc.returns), ("Yields", doc.yields)):
        kind = f"{value.type}: " if value and value.type else ""
        lines += ["", f"{heading}:", f"    {kind}{value.text}"] if value else []
    lines += ["", "Raises:", *(f"    {one.name}: {one.text}".rstrip() for one in doc.raises)] if doc.raises else []
    return with_rest(lines, doc)


def read_google(lines: Sequence[str]) -> Documentation:
    parts: list[tuple[str, list[str]]] = [("", [])]
    for number, line in enumerate(lines):
        heading = _GOOGLE_HEADING.fullmatch(line)
        following = next((other for other in lines[number + 1 :] if other.strip()), "")
        if heading and following[:1].isspace():
            parts.append((line, []))
        elif parts[-1][0] and line.strip() and not line[:1].isspace():
            # Prose goes on behind a section.
            parts.append(("", [line]))
        else:
            parts[-1][1].append(line)
    return _read_sections(parts, lambda heading: heading[:-1], _google_entries)


def _google_entries(lines: Sequence[str]) -> list[Entry]:
    found: list[Entry] = []
    for group in hanging(lines):
        matched = _GOOGLE_ENTRY.fullmatch(group[0])
        if matched is None:
            return []
        text = " ".join(filter(None, (matched["text"], *group[1:])))
        found.append(Entry(matched["name"], text.strip(), matched["type"] or ""))
    return found


def numpy(doc: Documentation) -> list[str]:
    def section(heading: str, entries: Sequence[tuple[str, str]]) -> list[str]:
        lines = ["", heading, "-" * len(heading)]
        for head, text in entries:
            lines += [head] if head else []
            lines += [f"    {text}"] if head and text else text.splitlines()
        return lines

    def named(entries: Iterable[Entry]) -> list[tuple[str, str]]:
        return [(f"{one.name} : {one.type}" if one.type else one.name, one.text) for one in entries]

    lines = prose(doc)
    for heading, entries in (("Attributes", doc.attributes), ("Parameters", doc.parameters)):
        lines += section(heading, named(entries)) if entries else []
    for heading, value in (("Returns", doc.returns), ("Yields", doc.yields)):
        lines += section(heading, [(value.type, value.text)]) if value else []
    lines += section("Raises", [(one.name, one.text) for one in doc.raises]) if doc.raises else []
    return with_rest(lines, doc)


def read_numpy(lines: Sequence[str]) -> Documentation:
    parts: list[tuple[str, list[str]]] = [("", [])]
    skip = False
    for line, following in zip(lines, (*lines[1:], ""), strict=False):
        if skip:
            skip = False
        elif line.strip() and re.fullmatch(r"-{3,}", following):
            parts.append((f"{line}\n{following}", []))
            skip = True
        else:
            parts[-1][1].append(line)
    return _read_sections(parts, lambda heading: heading.split("\n")[0], _numpy_entries)


def _numpy_entries(lines: Sequence[str]) -> list[Entry]:
    found: list[Entry] = []
    for group in hanging(lines):
        matched = _NUMPY_ENTRY.fullmatch(group[0])
        if matched is None:
            return []
        text = " ".join(group[1:]).strip()
        found += (Entry(name.strip(), text, matched["type"] or "") for name in matched["name"].split(","))
    return found


def _read_sections(
    parts: Sequence[tuple[str, list[str]]],
    name_of: Callable[[str], str],
    entries_of: Callable[[Sequence[str]], list[Entry]],
) -> Documentation:
    doc = read_prose(parts[0][1])
    rest: list[str] = []
    for heading, lines in parts[1:]:
        known = _SECTIONS.get(name_of(heading).strip().lower())
        entries = entries_of(lines) if known else []
        if known == "returns":
            doc = replace(doc, returns=_value(lines))
        elif known == "yields":
            doc = replace(doc, yields=_value(lines))
        elif known == "raises" and entries:
            doc = replace(doc, raises=(*doc.raises, *entries))
        elif known == "parameters" and entries:
            doc = replace(doc, parameters=(*doc.parameters, *entries))
        elif known == "attributes" and entries:
            doc = replace(doc, attributes=(*doc.attributes, *entries))
        else:
            rest += ["", *heading.split("\n"), *lines] if heading else ["", *lines]
    return replace(doc, rest=tuple(stripped(rest)))


def _value(lines: Sequence[str]) -> Entry:
    """What is said of a value that comes back."""
    groups = hanging(lines)
    # NumPy's: the type, and below it the words.
    typed = bool(groups) and all(len(group) > 1 and not group[0].endswith((".", ",")) for group in groups)
    if typed and not lines[0][:1].isspace():
        said = [(group[0], " ".join(group[1:]).strip()) for group in groups]
        if len(said) == 1:
            return Entry("", said[0][1], said[0][0])
        # Several values, each with its own.
        return Entry("", "\n".join(f"{kind}\n    {words}" for kind, words in said))
    text = " ".join(line for group in groups for line in group).strip()
    typed_text = re.match(r"([\w.\[\], |]{1,60}):\s+(?=[A-Z])", text)
    return Entry("", text[typed_text.end() :], typed_text[1]) if typed_text else Entry("", text)
