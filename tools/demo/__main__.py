"""``python -m tools.demo``."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from lsp_server import __version__
from tools.demo.editor import Editor
from tools.demo.parts import PARTS
from tools.demo.picture import WIDTH, recording_console, save_picture
from tools.demo.stage import Outcome, Stage
from tools.demo.view import ConsoleView

_PROJECT = Path(__file__).resolve().parents[2] / "examples" / "shop"


def main(argv: Sequence[str] | None = None) -> int:
    """Play the demo; returns 0 if every part passed, 1 if one did not, 130 when interrupted."""
    args = _arguments(argv)
    console = _console()
    recording = recording_console() if args.svg else None
    folder = Path(tempfile.mkdtemp(prefix="shardlight-demo-")).resolve()
    try:
        root = folder / _PROJECT.name
        shutil.copytree(_PROJECT, root, ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
        view = ConsoleView(recording, live=False) if recording else ConsoleView(console)
        passed = asyncio.run(_play(root, view, args))
        if recording:
            save_picture(recording, args.svg, "make demo")
            console.print(f"The picture is in {args.svg}.", highlight=False)
        if args.keep:
            console.print(f"The copy of the project, as the demo left it: {root}", highlight=False, soft_wrap=True)
        return 0 if passed else 1
    except KeyboardInterrupt:
        console.print("Interrupted.")
        return 130
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.demo",
        description="A scripted editor, the real language server and a real model on a copy of examples/shop. "
        "Every answer is checked; the exit status is 0 if all are good.",
    )
    parser.add_argument(
        "--model", metavar="NAME", help="model for everything, as in `shardlight models list`; default: your settings"
    )
    parser.add_argument("--keep", action="store_true", help="keep the copy of the project and say where it is")
    parser.add_argument(
        "--svg", metavar="FILE", type=Path, help="draw the terminal's picture into FILE instead of showing it"
    )
    return parser.parse_args(argv)


def _console() -> Console:
    # What a model writes may not fit the encoding of a pipe; that must not end the demo.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH)
    return console


async def _play(root: Path, view: ConsoleView, args: argparse.Namespace) -> bool:
    """All parts, one after the other; returns whether all passed."""
    begun = time.monotonic()
    models = {"completion": args.model, "assistant": args.model} if args.model else {}
    editor = Editor(root, {"models": models} if models else {}, view.progress)
    outcomes: list[Outcome] = []
    try:
        await editor.start()
    except (RuntimeError, OSError) as error:
        await editor.close()
        view.note(f"The language server did not start ({error}): {editor.last_words()}")
        return False
    try:
        status = await editor.command("shardlight.status")
        view.title(f"Shardlight {__version__}", _opening(editor, status))
        stage = Stage(editor, view)
        for number, part in enumerate(PARTS, 1):
            view.begin(number, len(PARTS), part)
            outcomes.append(await stage.play(part))
            view.end(outcomes[-1])
    finally:
        await editor.close()
    passed = sum(outcome.passed for outcome in outcomes)
    closing = [f"{passed} of {len(PARTS)} parts are good, in {time.monotonic() - begun:.0f} s."]
    if editor.loading_s > 1:
        closing.append(f"{editor.loading_s:.1f} s of them went into loading the model, which stays loaded for a while.")
    view.summary(outcomes, closing)
    return passed == len(PARTS)


def _opening(editor: Editor, status: Mapping[str, Any]) -> list[str]:
    names = {role: _model_name(status[role]) for role in ("completion", "assistant")}
    both = len(set(names.values())) == 1
    return [
        f"The language server answered initialize after {editor.initialize_s:.2f} s.",
        f"Model: {names['completion']}" if both else f"Models: {', '.join(f'{n} ({r})' for r, n in names.items())}",
        f"Project: a copy of examples/{editor.root.name}",
    ]


def _model_name(role: Mapping[str, str]) -> str:
    """A model's name, of a path its last part; what is wrong, if the settings name none that could be meant."""
    return Path(role["model"]).name if role["model"] else role["state"]


if __name__ == "__main__":
    sys.exit(main())
