"""What a ``tsconfig.json`` (or ``jsconfig.json``) says of where modules are.

All paths are relative to the workspace folder, with forward slashes.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

# Patterns, and the places that each stands for.
_Paths = tuple[tuple[str, tuple[str, ...]], ...]

_NAMES = ("tsconfig.json", "jsconfig.json")
# So many files are followed that one says to extend, and so many of those in turn.
_MOST_EXTENDED = 4


@dataclass(frozen=True, slots=True)
class _Config:
    """What one file says itself."""

    extends: tuple[str, ...] = ()
    base: str | None = None
    paths: _Paths | None = None


def mapped(module: str, folders: Iterable[str], read: Callable[[str], str | None]) -> Iterator[str]:
    """Where the ``paths`` and ``baseUrl`` of the nearest ``tsconfig.json`` would have a module.

    Args:
        folders: those around the file that imports it, the nearest first.
        read: answers with the text of a file; with None if it cannot be had, or leads out of the workspace folder.
    """
    configs = (posixpath.join(folder, name) for folder in folders for name in _NAMES)
    config = next((path for path in configs if read(path)), None)
    if config is None:
        return
    base, found = _options(config, read)
    origin, paths = found or ("", ())
    for pattern, places in paths:
        before, star, after = pattern.partition("*")
        if module == pattern or (star and module.startswith(before) and module.endswith(after)):
            middle = module[len(before) : len(module) - len(after)] if star else ""
            yield from (posixpath.join(origin if base is None else base, p.replace("*", middle)) for p in places)
    if base is not None:
        yield posixpath.join(base, module)


def _options(
    config: str, read: Callable[[str], str | None], levels: int = _MOST_EXTENDED
) -> tuple[str | None, tuple[str, _Paths] | None]:
    """``baseUrl``, and ``paths`` with the folder of the file that has them: ``config`` or what it extends."""
    own = _parsed(read(config) or "")
    folder = posixpath.dirname(config)
    base = None if own.base is None else posixpath.join(folder, own.base)
    paths = None if own.paths is None else (folder, own.paths)
    # Of several the last one counts.
    for place in reversed(own.extends if levels else ()):
        extended = posixpath.normpath(posixpath.join(folder, place))
        # Anything else is a package.
        if place.startswith("."):
            file = extended if extended.endswith(".json") else f"{extended}.json"
            its_base, its_paths = _options(file, read, levels - 1)
            base = its_base if base is None else base
            paths = paths or its_paths
    return base, paths


@lru_cache(maxsize=64)
def _parsed(text: str) -> _Config:
    """What a ``tsconfig.json`` says; nothing if the file is no JSON with comments."""
    plain = re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda m: m[1] or "", text, flags=re.DOTALL)
    try:
        config: Any = json.loads(re.sub(r",(\s*[}\]])", r"\1", plain))
        options, extends = config.get("compilerOptions", {}), config.get("extends", ())
        base, paths = options.get("baseUrl"), options.get("paths")
        return _Config(
            _strings([extends] if isinstance(extends, str) else extends)[-_MOST_EXTENDED:],
            base if isinstance(base, str) else None,
            None if paths is None else tuple((pattern, _strings(places)) for pattern, places in paths.items()),
        )
    except (ValueError, AttributeError, TypeError, RecursionError):
        return _Config()


def _strings(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str))
