"""The settings as a JSON schema for editors and as a page for people; both are generated files in docs/."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lsp_server.settings.schema import Settings
from lsp_server.settings.sources import PREFIX


def _declared() -> Iterator[tuple[str, str, Any, dataclasses.Field[Any]]]:
    """(section, section text, type, field) of every setting, in order."""
    for section, section_type in get_type_hints(Settings).items():
        hints = get_type_hints(section_type)
        for declared in dataclasses.fields(section_type):
            yield section, section_type.__doc__ or "", hints[declared.name], declared


def _lines(text: str) -> list[str]:
    """The lines of a docstring."""
    return inspect.cleandoc(text).splitlines()


def _plain(default: Any) -> Any:
    """A default as JSON has it."""
    return list(default) if isinstance(default, tuple) else default


def settings_schema() -> str:
    """JSON schema (draft 2020-12) of the options."""
    sections: dict[str, Any] = {}
    for section, text, kind, declared in _declared():
        about = " ".join(_lines(text))
        group = sections.setdefault(
            section, {"type": "object", "description": about, "additionalProperties": False, "properties": {}}
        )
        schema: dict[str, Any] = {"description": declared.metadata["description"]}
        if kind is bool:
            schema |= {"type": "boolean", "default": declared.default}
        elif kind is int:
            schema |= {"type": "integer", "default": declared.default}
            schema |= {k: v for k in ("minimum", "maximum") if (v := declared.metadata[k]) is not None}
        elif get_origin(kind) is tuple:
            types = ["array", "string"] if declared.metadata["or_text"] else "array"
            schema |= {"type": types, "items": {"type": "string"}, "default": _plain(declared.default)}
        elif get_origin(kind) is Literal:
            schema |= {"type": "string", "enum": list(get_args(kind)), "default": declared.default}
        else:
            schema |= {"type": "string", "default": declared.default}
        group["properties"][declared.name] = schema
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Shardlight settings",
        "type": "object",
        "additionalProperties": False,
        "properties": sections,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def settings_markdown() -> str:
    """The settings page: a table a section."""
    lines = [
        "# Settings",
        "",
        "<!-- Generated from lsp_server/settings/schema.py by tools/generate.py. -->",
        "",
        "Set them in the editor (section `shardlight`), in `settings.toml` in your configuration folder, or through",
        "the environment. The editor wins over the environment, the environment over the file. A value that cannot be",
        "used is reported and its default taken.",
    ]
    last = ""
    for section, text, _, declared in _declared():
        if section != last:
            lines += ["", f"## {section}", "", *_lines(text), "", "| setting | default | meaning |", "|---|---|---|"]
            last = section
        default = json.dumps(_plain(declared.default))
        lines.append(f"| `{section}.{declared.name}` | `{default}` | {declared.metadata['description']} |")
    lines += [
        "",
        "## In the environment",
        "",
        f"`{PREFIX}` + section + `__` + setting in capitals, for example `{PREFIX}ENGINE__N_CTX=4096`; lists are",
        "separated by commas.",
    ]
    return "\n".join(lines) + "\n"
