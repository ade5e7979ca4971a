"""Write the files that are generated from the code, or check that they are up to date.

``python tools/generate.py`` writes; ``python tools/generate.py --check`` changes nothing and ends with status 1 if a
file is out of date. Another generated file is one more row in `GENERATED`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lsp_server.settings.documentation import settings_markdown, settings_schema
from lsp_server.settings.schema import USER_ONLY

ROOT = Path(__file__).resolve().parent.parent
_MANIFEST = "editors/vscode/package.json"
# What belongs to the machine that the code is on: a workspace may choose it, if the user trusts that workspace.
_OF_THE_MACHINE = ("models", "engine")


def vscode_manifest() -> str:
    """The extension's manifest with the server's settings, a group a section, behind the extension's own group."""
    manifest = json.loads((ROOT / _MANIFEST).read_text(encoding="utf-8"))
    own = manifest["contributes"]["configuration"][0]
    groups = list(_setting_groups())
    manifest["contributes"]["configuration"] = [own, *groups]
    overridable = [
        name
        for group in (own, *groups)
        for name, setting in group["properties"].items()
        if setting.get("scope") == "machine-overridable"
    ]
    manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = overridable
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _setting_groups() -> Iterator[dict[str, Any]]:
    """The server's settings as VS Code takes them, in the order in which they are declared."""
    sections = json.loads(settings_schema())["properties"].items()
    offered = [(section, schema) for section, schema in sections if section not in USER_ONLY]
    for place, (section, schema) in enumerate(offered, start=1):
        properties = {}
        for order, (name, setting) in enumerate(schema["properties"].items()):
            scope = {"scope": "machine-overridable"} if section in _OF_THE_MACHINE else {}
            description = {"markdownDescription": setting.pop("description")}
            properties[f"shardlight.{section}.{name}"] = setting | scope | {"order": order} | description
        yield {"title": section.replace("_", " ").capitalize(), "order": place, "properties": properties}


GENERATED: Mapping[str, Callable[[], str]] = {
    "docs/settings.md": settings_markdown,
    "docs/settings.schema.json": settings_schema,
    _MANIFEST: vscode_manifest,
}


def out_of_date(root: Path, generated: Mapping[str, Callable[[], str]]) -> dict[str, str]:
    """The files whose text on disk is not what their generator returns: path below the root -> wanted text."""
    wanted = {path: generator() for path, generator in generated.items()}
    return {path: text for path, text in wanted.items() if _read(root / path) != text}


def write(root: Path, texts: Mapping[str, str]) -> None:
    """Write texts to their paths below the root, each aside first."""
    for path, text in texts.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f"{target.name}.new")
        aside.write_bytes(text.encode("utf-8"))
        aside.replace(target)


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 if a check found a file out of date, else 0."""
    parser = argparse.ArgumentParser(description="Write the generated files.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; end with status 1 if a file is out of date"
    )
    options = parser.parse_args(arguments)
    changed = out_of_date(ROOT, GENERATED)
    if not options.check:
        write(ROOT, changed)
    for path in changed:
        print(f"{path}: " + ("out of date; write it with: python tools/generate.py" if options.check else "written"))
    if not changed:
        print(f"{len(GENERATED)} generated files are up to date.")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
