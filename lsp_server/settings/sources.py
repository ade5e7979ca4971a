"""Where options come from besides the editor: the user's file and the environment.

Precedence, weakest first: defaults, ``settings.toml`` in the user's configuration folder, ``SHARDLIGHT_*``
environment variables, the editor.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from platformdirs import user_config_path

from lsp_server.settings.resolve import Options, Problem, Resolution, merge, resolve
from lsp_server.settings.schema import USER_ONLY, Settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PREFIX = "SHARDLIGHT_"


def user_file() -> Path:
    """``settings.toml`` in the user's configuration folder (it need not exist)."""
    return user_config_path("shardlight", appauthor=False) / "settings.toml"


def load(editor: Options | None = None, *, environ: Mapping[str, str] | None = None) -> Resolution:
    """Settings from all sources, the editor's options on top."""
    from_file, problems = file_options(user_file())
    environment = environment_options(os.environ if environ is None else environ)
    from_editor, refused = _of_editor(editor or {})
    resolution = resolve(merge(from_file, environment, from_editor))
    return dataclasses.replace(resolution, problems=(*problems, *refused, *resolution.problems))


def _of_editor(options: Options) -> tuple[Options, tuple[Problem, ...]]:
    """What an editor may set of its options, and what it may not."""
    refused = tuple(
        Problem(section, f"{section} is not taken from the editor, only from {user_file()} and the environment.")
        for section in USER_ONLY
        if options.get(section)
    )
    return {section: values for section, values in options.items() if section not in USER_ONLY}, refused


def file_options(path: Path) -> tuple[Options, tuple[Problem, ...]]:
    """The options of a TOML file; an unreadable one is a problem, not a failure."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), ()
    except FileNotFoundError:
        return {}, ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {}, (Problem(str(path), f"{path} cannot be read as TOML ({error}); it is ignored."),)


def environment_options(environ: Mapping[str, str]) -> Options:
    """``SHARDLIGHT_ENGINE__N_CTX=4096`` → ``{"engine": {"n_ctx": 4096}}``.

    Values are read by the declared type; what cannot be read so is passed on as text for ``resolve`` to report.
    """
    options: dict[str, Any] = {}
    for section, section_type in get_type_hints(Settings).items():
        for name, kind in get_type_hints(section_type).items():
            text = environ.get(f"{PREFIX}{section}__{name}".upper())
            if text is not None:
                options.setdefault(section, {})[name] = _parse(text, kind)
    return options


def _parse(text: str, kind: Any) -> Any:
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if kind is int:
        try:
            return int(text)
        except ValueError:
            return text
    if get_origin(kind) is tuple:
        return [item.strip() for item in text.split(",") if item.strip()]
    return text
