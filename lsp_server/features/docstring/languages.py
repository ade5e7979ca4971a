"""Forms that one language has for itself: Rust, Go, C#, the shell; and plain words."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace

from lsp_server.features.docstring.documentation import Documentation, Entry
from lsp_server.features.docstring.prose import hanging, lower_first, paragraphs, prose, read_prose, stripped, with_rest

# What begins like a parameter in plain words, and is none.
_REMARK = re.compile(r"(?:note|warning|example|todo|fixme|see|since|author|deprecated)s?", re.IGNORECASE)


def rustdoc(doc: Documentation) -> list[str]:
    lines = prose(doc)
    if doc.parameters:
        lines += ["", "# Arguments", "", *(f"* `{one.name}` - {one.text}".rstrip(" -") for one in doc.parameters)]
    for heading, value in (
        ("Returns", doc.returns),
        ("Errors", _error(doc.raises[0]) if doc.raises else None),
        ("Panics", doc.panics),
    ):
        lines += ["", f"# {heading}", "", value.text] if value else []
    return with_rest(lines, doc)


def _error(one: Entry) -> Entry:
    return replace(one, text=f"Returns an error {lower_first(one.text)}") if one.text.startswith("If ") else one


def read_rustdoc(lines: Sequence[str]) -> Documentation:
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in lines:
        parts.append((line, [])) if line.startswith("# ") else parts[-1][1].append(line)
    doc, rest = read_prose(parts[0][1]), []
    for heading, body in parts[1:]:
        name, text = heading[2:].strip().lower(), " ".join(line.strip() for line in body if line.strip())
        if name in ("arguments", "parameters"):
            items = (re.match(r"[*-] `?(\w+)`?(?:\s*[-:–]\s*)?(.*)", " ".join(group)) for group in hanging(body))
            doc = replace(doc, parameters=tuple(Entry(found[1], found[2]) for found in items if found))
        elif name == "errors":
            doc = replace(doc, raises=(Entry("", text),))
        elif name == "returns":
            doc = replace(doc, returns=Entry("", text))
        elif name == "panics":
            doc = replace(doc, panics=Entry("", text))
        else:
            rest += ["", heading, *body]
    return replace(doc, rest=tuple(stripped(rest)))


def go(doc: Documentation) -> list[str]:
    # gofmt writes the items of a list so.
    lines = prose(doc)
    lines += ["", *(f"  - {one.name}: {one.text}".rstrip(" :") for one in doc.parameters)] if doc.parameters else []
    lines += ["", f"It returns {lower_first(doc.returns.text)}"] if doc.returns and doc.returns.text else []
    return with_rest(lines, doc)


def read_go(lines: Sequence[str]) -> Documentation:
    prose, items, returns, rest = [], [], None, []
    for group in paragraphs(lines):
        text = " ".join(line.strip() for line in group)
        entries = [re.fullmatch(r"\s*- (\w+): (.*)", line) for line in group]
        if all(entries):
            items += [Entry(found[1], found[2]) for found in entries if found]
        elif text.startswith("It returns "):
            said = text.removeprefix("It returns ")
            returns = Entry("", said[:1].upper() + said[1:])
        elif items or returns:
            rest += ["", *group]
        else:
            prose += ["", *group]
    doc = read_prose(stripped(prose))
    return replace(doc, parameters=tuple(items), returns=returns, rest=tuple(stripped(rest)))


def xml(doc: Documentation) -> list[str]:
    def said(text: str) -> str:
        return html.escape(text, quote=False)

    lines = ["<summary>", *map(said, prose(doc)), "</summary>"]
    lines += [f'<param name="{one.name}">{said(one.text)}</param>' for one in doc.parameters]
    lines += [f"<returns>{said(doc.returns.text)}</returns>"] if doc.returns else []
    lines += [f'<exception cref="{one.name}">{said(one.text)}</exception>' for one in doc.raises]
    return [*lines, *doc.rest]


def read_xml(lines: Sequence[str]) -> Documentation:
    text = "\n".join(lines)
    doc = Documentation()
    tags = re.compile(r"<(?P<tag>\w+)(?:\s+(?:name|cref)=\"(?P<name>[^\"]*)\")?\s*>(?P<text>.*?)</(?P=tag)>", re.DOTALL)
    rest = text
    for found in tags.finditer(text):
        said = html.unescape(" ".join(found["text"].split()))
        if found["tag"] == "summary":
            prose = read_prose(html.unescape(found["text"]).split("\n"))
            doc = replace(doc, summary=prose.summary, details=prose.details)
        elif found["tag"] == "param":
            doc = replace(doc, parameters=(*doc.parameters, Entry(found["name"] or "", said)))
        elif found["tag"] == "exception":
            doc = replace(doc, raises=(*doc.raises, Entry(found["name"] or "", said)))
        elif found["tag"] == "returns":
            doc = replace(doc, returns=Entry("", said))
        else:
            continue
        rest = rest.replace(found[0], "")
    return replace(doc, rest=tuple(line for line in rest.split("\n") if line.strip()))


def shell(doc: Documentation) -> list[str]:
    """Comments as in Google's style guide for the shell."""

    def entry(one: Entry) -> str:
        number = f"{one.type} - " if one.type.startswith("$") else ""
        return f"  {number}{one.name}: {one.text}".rstrip()

    lines = prose(doc)
    lines += ["Arguments:", *map(entry, doc.parameters)] if doc.parameters else []
    lines += ["Returns:", f"  {doc.returns.text}"] if doc.returns else []
    return with_rest(lines, doc)


def read_shell(lines: Sequence[str]) -> Documentation:
    """See `shell`."""
    parts: dict[str, list[str]] = {"": [], "Arguments:": [], "Returns:": [], "rest": []}
    here = ""
    for line in lines:
        if line in ("Arguments:", "Returns:"):
            here = line
            continue
        if here and not line.startswith(" "):
            here = "rest"
        parts[here].append(line)
    doc = read_prose(parts[""])
    items = (re.fullmatch(r"\s*(?:(\$\d+) - )?(\w+):(?: (.*))?", line) for line in parts["Arguments:"])
    returns = " ".join(line.strip() for line in parts["Returns:"]).strip()
    return replace(
        doc,
        parameters=tuple(Entry(found[2], found[3] or "", found[1] or "") for found in items if found),
        returns=Entry("", returns) if returns else None,
        rest=tuple(stripped(parts["rest"])),
    )


def plain(doc: Documentation) -> list[str]:
    lines = prose(doc)
    entries = [f"{one.name}: {one.text}".rstrip() for one in doc.parameters]
    entries += [f"Returns: {doc.returns.text}"] if doc.returns else []
    entries += [f"Raises {one.name}: {one.text}".rstrip() for one in doc.raises]
    return with_rest([*lines, *(["", *entries] if entries else [])], doc)


def read_plain(lines: Sequence[str]) -> Documentation:
    doc = Documentation()
    prose: list[str] = []
    for line in lines:
        item = re.fullmatch(r"\s*(Raises )?(\w+): (.*)", line)
        if item and item[2] == "Returns":
            doc = replace(doc, returns=Entry("", item[3]))
        elif item and item[1]:
            doc = replace(doc, raises=(*doc.raises, Entry(item[2], item[3])))
        elif item and not _REMARK.fullmatch(item[2]):
            doc = replace(doc, parameters=(*doc.parameters, Entry(item[2], item[3])))
        else:
            prose.append(line)
    read = read_prose(prose)
    return replace(doc, summary=read.summary, details=read.details)
