"""Links that lead to where they are, in each of the ways in which they can."""

from __future__ import annotations

from pathlib import Path

import pytest


def go_round(folder: Path) -> tuple[str, ...]:
    """Make them in a folder, with a file ``a/kept.py``; returns their names, relative to it."""
    (folder / "a" / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "a" / "kept.py").write_text("kept = 1\n", encoding="utf-8")
    links = {
        "a/b": folder / "a",
        "a/deep/up": Path("../.."),
        "a/itself": Path("itself"),
        "a/itself.py": Path("itself.py"),
        "there": Path("back"),
        "back": Path("there"),
        "there.py": Path("back.py"),
        "back.py": Path("there.py"),
        "a/node_modules": Path("node_modules"),
    }
    for name, target in links.items():
        try:
            (folder / name).symlink_to(target, target_is_directory=not name.endswith(".py"))
        except OSError:
            pytest.skip("links cannot be made here")
    return tuple(links)
