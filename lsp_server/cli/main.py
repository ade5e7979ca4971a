"""Arguments → command, settings → command, errors → a sentence and an exit code."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence

from lsp_server import __version__
from lsp_server.errors import ShardlightError
from lsp_server.settings import sources

# In the order of the help text. Each module has ``register(subparsers)``.
COMMANDS = ("serve", "complete", "models", "plan", "status", "bench", "eval", "engine", "stats", "doctor")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments and not sys.stdin.isatty():
        # Started by an editor that was given nothing but the program.
        arguments = ["serve"]
    parser = _parser(arguments)
    args = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=getattr(logging, args.log_level.upper()),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    resolution = sources.load()
    for problem in resolution.problems:
        sys.stderr.write(f"shardlight: {problem.message}\n")
    try:
        return int(args.run(args, resolution.settings))
    except ShardlightError as error:
        sys.stderr.write(f"shardlight: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"  {error.hint}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="shardlight", description="A private coding assistant: a language server and a model on your own machine."
    )
    parser.add_argument("--version", action="version", version=f"shardlight {__version__}")
    parser.add_argument(
        "--log-level", default="warning", choices=["debug", "info", "warning", "error"], help="what goes to stderr"
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    # Only the named command is imported: the others would cost the language server its fast start.
    named = [name for name in arguments if name in COMMANDS]
    for name in named[:1] or COMMANDS:
        importlib.import_module(f"lsp_server.cli.{name}").register(subparsers)
    return parser
