"""The tests of a module and the module of its tests, by the names that the languages' people give them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

# By what is put around the stem of the code: what the stem of its tests looks like, and in which files.
_SNAKE = r"(?P<code>.+)"
_CAMEL = r"(?P<code>.+[a-z0-9])"
_SCRIPTS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs")
_FORMS = {
    "test_{}": (re.compile(f"test_{_SNAKE}"), None),
    "{}_test": (re.compile(f"{_SNAKE}_test"), None),
    "{}_spec": (re.compile(f"{_SNAKE}_spec"), (".rb", ".lua")),
    "{}.test": (re.compile(rf"{_SNAKE}\.test"), _SCRIPTS),
    "{}.spec": (re.compile(rf"{_SNAKE}\.spec"), _SCRIPTS),
    "{}Test": (re.compile(f"{_CAMEL}Test"), (".java", ".kt", ".cs", ".php", ".scala")),
    "{}Tests": (re.compile(f"{_CAMEL}Tests"), (".java", ".kt", ".cs")),
    "{}Spec": (re.compile(f"{_CAMEL}Spec"), (".java", ".kt", ".scala", ".php")),
}
_TEST_FOLDERS = ("tests", "test", "__tests__", "spec")


def is_test(path: Path) -> bool:
    """Whether a file is one of tests, by its name."""
    return tested_stem(path) is not None


def tested_stem(path: Path) -> str | None:
    """The stem of the file that a test file tests; None for a file that is none."""
    matches = (look.fullmatch(path.stem) for look, files in _FORMS.values() if files is None or path.suffix in files)
    return next((match["code"] for match in matches if match), None)


def counterpart(path: Path, root: Path, linked: Sequence[Path]) -> Path | None:
    """The test file of a code file, or the code file of a test file; None if there seems to be none.

    Args:
        root: the workspace folder, beyond which nothing is looked for.
        linked: the files that import ``path`` and those that it imports; who imports what it tests says it best.
    """
    code = tested_stem(path)
    # Thousands may import what everybody needs: their names are only compared.
    stems = {code: None} if code else {form.format(path.stem): files for form, (_, files) in _FORMS.items()}
    named = (other for other in linked if other.stem in stems)
    found = next((other for other in named if other.suffix in (stems[other.stem] or (other.suffix,))), None)
    return found or next((Path(other) for other in _candidates(path, root, code) if os.path.isfile(other)), None)


# Many places are looked at, most of which are not there. To make a `Path` of each takes longer than to look.
def _candidates(path: Path, root: Path, code: str | None) -> Iterator[str]:
    stems = (
        [code]
        if code
        else [form.format(path.stem) for form, (_, files) in _FORMS.items() if path.suffix in (files or (path.suffix,))]
    )
    folders = _code_folders(path.parent, root) if code else _test_folders(path.parent, root)
    for folder in dict.fromkeys(folders):
        if os.path.isdir(folder):
            yield from (os.path.join(folder, f"{stem}{path.suffix}") for stem in stems)


def _test_folders(folder: Path, root: Path) -> Iterator[str]:
    yield str(folder)
    yield from (os.path.join(folder, name) for name in _TEST_FOLDERS)
    if not folder.is_relative_to(root):
        return
    parts = folder.relative_to(root).parts
    for name in _TEST_FOLDERS:
        # tests/pkg/test_x.py, tests/unit/pkg/test_x.py and the same without the package's or the source folder's name.
        for below in (parts, parts[1:], ()):
            yield os.path.join(root, name, *below)
            yield os.path.join(root, name, "unit", *below)
    if "main" in parts:
        # src/main/java/a/B.java and src/test/java/a/BTest.java
        at = parts.index("main")
        yield os.path.join(root, *parts[:at], "test", *parts[at + 1 :])


def _code_folders(folder: Path, root: Path) -> Iterator[str]:
    yield str(folder)
    yield str(folder.parent)
    if not folder.is_relative_to(root):
        return
    parts = folder.relative_to(root).parts
    if "test" in parts and "src" in parts[: parts.index("test")]:
        at = parts.index("test")
        yield os.path.join(root, *parts[:at], "main", *parts[at + 1 :])
    below = tuple(part for part in parts if part not in (*_TEST_FOLDERS, "unit"))
    yield os.path.join(root, *below)
    yield os.path.join(root, "src", *below)
    # The package's own folder is left out of the tests' path as often as not.
    yield from (os.path.join(child, *below) for child in _packages(root))


def _packages(root: Path) -> Iterator[Path]:
    for base in (root, root / "src"):
        if base.is_dir():
            yield from sorted(child for child in base.iterdir() if (child / "__init__.py").is_file())
