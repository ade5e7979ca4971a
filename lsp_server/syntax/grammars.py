"""Finding and loading grammars: the official wheel, then the tree-sitter-languages bundle, then none."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import logging
from functools import cache
from pathlib import Path

import tree_sitter

from lsp_server.syntax.languages import Language

logger = logging.getLogger(__name__)

# The name that tree_sitter.Language asks of a capsule; the capsule keeps the pointer, so the bytes must stay alive.
_CAPSULE_NAME = b"tree_sitter.Language"


@cache
def load(language: Language) -> tree_sitter.Language | None:
    """The grammar, loaded once; None if this machine has none that fits."""
    return from_wheel(language) or from_bundle(language)


def from_wheel(language: Language) -> tree_sitter.Language | None:
    """The grammar of the official wheel; None if the row names none, or it is absent or of an unknown ABI."""
    if not language.wheel:
        return None
    module_name, _, function = language.wheel.partition(":")
    try:
        return tree_sitter.Language(getattr(importlib.import_module(module_name), function)())
    except (ImportError, AttributeError, ValueError) as error:
        logger.warning("No grammar for %s from %s: %s", language.name, language.wheel, error)
        return None


def from_bundle(language: Language) -> tree_sitter.Language | None:
    """The grammar of the tree-sitter-languages bundle; None if it is absent or of an unknown ABI.

    The bundle's own loader fails with today's tree-sitter, but its library holds plain grammars.
    """
    library = _bundle()
    symbol = getattr(library, f"tree_sitter_{language.grammar}", None) if library else None
    if symbol is None:
        return None
    symbol.restype = ctypes.c_void_p
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    try:
        return tree_sitter.Language(new_capsule(symbol(), _CAPSULE_NAME, None))
    except ValueError as error:
        logger.warning("No grammar for %s from the bundle: %s", language.name, error)
        return None


@cache
def _bundle() -> ctypes.CDLL | None:
    # Found without importing the package: its __init__ loads a module that was built for an older tree-sitter.
    spec = importlib.util.find_spec("tree_sitter_languages")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for name in ("languages.so", "languages.dll"):
            path = Path(folder) / name
            if path.exists():
                try:
                    return ctypes.CDLL(str(path))
                except OSError as error:
                    logger.warning("The grammar bundle does not load: %s", error)
    return None
