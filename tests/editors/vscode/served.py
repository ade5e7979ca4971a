"""The program `shardlight` of these tests: the real server over a scripted model, and the real command line.

``python -m tests.editors.vscode.served FOLDER ARGUMENTS...``; FOLDER has the script (``script.json``), and gets what
``wire`` writes. A download only says how far it is, and a plan is one for a laptop: nothing is measured or fetched.
With ``{"real": true}`` for a script it is the real server alone, which starts a real engine.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from lsp_server import __version__
from lsp_server.models.store import store_from
from lsp_server.settings import sources

MODEL = "qwen2.5-coder-0.5b"


def main(folder: Path, arguments: list[str]) -> None:
    """As the real program would, where that costs nothing."""
    with (folder / "calls.jsonl").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(arguments) + "\n")
    match arguments:
        case ["--version"]:
            sys.stdout.write(f"shardlight {__version__}\n")
        case ["serve"]:
            script = folder / "script.json"
            real = json.loads(script.read_text(encoding="utf-8")).get("real")
            module = ["lsp_server", "serve"] if real else ["tests.e2e.scripted_server", str(script)]
            server = [sys.executable, "-m", *module]
            wire = [sys.executable, "-m", "tests.editors.vscode.wire", str(folder)]
            os.execv(sys.executable, [*wire, *server])  # noqa: S606
        case ["models", "pull", name, "--json"]:
            download(name, folder / "held")
        case ["plan", *_] if "--hardware" not in arguments:
            model = MODEL if arguments[1] == "auto" else arguments[1]
            _shardlight("plan", model, *arguments[2:], "--hardware", "laptop-16gb")
        case _:
            _shardlight(*arguments)


def _shardlight(*arguments: str) -> None:
    os.execv(sys.executable, [sys.executable, "-m", "lsp_server", *arguments])  # noqa: S606


def download(name: str, held: Path) -> None:
    """Say how far a download is, and stay at 40 % as long as there is that file; interrupting it ends it.

    What comes is a file of no size, if there is a folder of models.
    """
    try:
        for percent in range(0, 101, 10):
            said = {"state": "downloading", "percent": percent, "message": f"{percent * 5} MB of 500 MB"}
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()
            while percent == 40 and held.exists():
                time.sleep(0.05)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. What is complete is kept.\n")
        sys.exit(130)
    if models := sources.load().settings.models.directory:
        store = store_from(models, registry_mirror=False)
        for file in store.catalog.get(name).files:
            path = Path(models, name, Path(file.name).name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
