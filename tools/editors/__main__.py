"""``python -m tools.editors``: see the package."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tools.editors import debian, npm, pypi, system
from tools.editors.fetching import NotHereError, cache_folder

ROOT = Path(__file__).resolve().parents[2]

# What says to the tests where a program is, and how it is had.
VARIABLES: dict[str, Callable[[Path], Path]] = {
    "SHARDLIGHT_NVIM_011": pypi.neovim,
    "SHARDLIGHT_NVIM_012": debian.neovim,
    "SHARDLIGHT_EMACS": debian.emacs,
    "SHARDLIGHT_HELIX": debian.helix,
    "SHARDLIGHT_VIM": debian.vim,
    "SHARDLIGHT_ALE": debian.ale,
    "SHARDLIGHT_NODE": pypi.node,
    "SHARDLIGHT_CODE_SERVER": npm.code_server,
    "SHARDLIGHT_CHROMIUM": system.chromium,
}


def main(arguments: list[str]) -> int:
    """Fetch the editors and run their tests; pytest's exit status, or 1 where something must not be missing."""
    folder = cache_folder("editors")
    folder.mkdir(parents=True, exist_ok=True)
    environment, missing = dict(os.environ), []

    def fetched(what: str, fetch: Callable[[Path], Path]) -> str | None:
        try:
            return str(fetch(folder))
        except (NotHereError, OSError, subprocess.SubprocessError) as error:
            print(f"{what}: not here ({error})", file=sys.stderr)
            missing.append(what)
            return None

    for name, fetch in VARIABLES.items():
        if name not in environment and (place := fetched(name, fetch)):
            environment[name] = place
    # Its tests build VS Code's extension themselves, once they find what that takes.
    fetched("editors/vscode/node_modules", lambda folder: npm.modules(folder, ROOT / "editors" / "vscode"))
    if missing and "CI" in environment:
        print(f"In CI all editors are tested, but there is no {', '.join(missing)}.", file=sys.stderr)
        return 1
    # What the editors looked like at each step, for whoever wants to see it.
    environment.setdefault("SHARDLIGHT_SCREENSHOTS", str(ROOT / "build" / "screenshots"))
    # An editor on a busy machine misses a key now and then. What had to be run once more is said.
    tests = [sys.executable, "-m", "pytest", "tests/editors", "-rsR", "--reruns", "1", *arguments]
    return subprocess.run(tests, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
