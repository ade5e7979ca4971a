"""A workspace of very many files: ``python -m benchmarks.many_files [--files N]``.

Small files in Python, JavaScript and Go are made in nested folders; the language server is started on them over a
model that answers at once, so that all there is to wait for is the server. It is started twice: without an index, and
with the one that is there then. What is typed while the index is built is compared with what is typed when it is done.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.index import Window, built, size_of_databases, window
from benchmarks.results import write_markdown

_PAUSE_S = 0.15
# How long a suggestion with context is waited for.
_PATIENCE_S = 300.0
_MOST_TYPED_S = 600.0
_AT_REST = 150
_FILES_A_FOLDER = 25
_VERBS = (
    "load",
    "save",
    "parse",
    "render",
    "merge",
    "split",
    "check",
    "count",
    "find",
    "build",
    "close",
    "fetch",
    "reset",
)
_NOUNS = (
    "order",
    "invoice",
    "account",
    "token",
    "report",
    "buffer",
    "window",
    "layout",
    "packet",
    "session",
    "ledger",
    "route",
)

_PYTHON = '''"""{noun} of part {number}."""

from __future__ import annotations

import json
from {beside} import {other}


class {cls}:
    """Holds a {noun}."""

    limit = {number}

    def __init__(self, name: str, size: int = {number}) -> None:
        self.name = name
        self.size = size

    def {verb}_{noun}_{number}(self, path: str) -> dict[str, int]:
        """{verb} what is at a path."""
        found = json.loads(path)
        return {{key: len(value) + self.size for key, value in found.items()}}

    def total(self) -> int:
        return sum({other}(part) for part in self.name.split(","))


def {name}(value: str, *, deep: bool = False) -> int:
    """{verb} a {noun} by its value."""
    if not value:
        return 0
    result = len(value.strip())
    return result * 2 if deep else result
'''
_JAVASCRIPT = """import {{ {other} }} from "./{beside}.js";

/** {verb} a {noun}. */
export function {name}(value, options = {{}}) {{
  const limit = options.limit ?? {number};
  if (!value) {{
    return 0;
  }}
  return {other}(value).slice(0, limit).length;
}}

export class {cls} {{
  constructor(name) {{
    this.name = name;
    this.size = {number};
  }}

  {verb}{noun}(path) {{
    return `${{path}}/${{this.name}}`.split("/").map((part) => part.length + this.size);
  }}
}}
"""
_GO = """package {package}

import "strings"

// {cls} holds a {noun}.
type {cls} struct {{
	Name string
	Size int
}}

// {name} takes a {noun} apart.
func {name}(value string, limit int) []string {{
	parts := strings.Split(value, ",")
	if len(parts) > limit {{
		return parts[:limit]
	}}
	return parts
}}

func (one *{cls}) {verb}{number}(path string) int {{
	return len(path) + one.Size + {number}
}}
"""
# By turns: most is Python.
_KINDS = ((_PYTHON, "py"), (_JAVASCRIPT, "js"), (_PYTHON, "py"), (_GO, "go"), (_PYTHON, "py"))


def make(root: Path, files: int) -> None:
    """Write so many files into a folder, the same ones each time."""
    rng = random.Random(7)
    before: dict[str, tuple[str, str]] = {}
    for number in range(files):
        block = number // _FILES_A_FOLDER
        folder = root / f"area{block // 400}" / f"team{block // 20 % 20}" / f"part{block % 20}"
        if number % _FILES_A_FOLDER == 0:
            folder.mkdir(parents=True, exist_ok=True)
            before = {}
        form, suffix = _KINDS[number % len(_KINDS)]
        verb, noun = rng.choice(_VERBS), rng.choice(_NOUNS)
        stem, name = f"{noun}_{number}", f"{verb}_{noun}_of_{number}"
        beside, other = before.get(suffix, (stem, name))
        words = {"verb": verb, "noun": noun, "number": number, "name": name, "beside": beside, "other": other}
        text = form.format(**words, cls=f"{noun.title()}{number}", package=f"part{block % 20}")
        (folder / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
        before[suffix] = stem, name


class Typing:
    """Letters that are typed into a file of the workspace, and what is suggested behind each."""

    def __init__(self, opened: Window, root: Path) -> None:
        self._opened = opened
        path = next(iter(sorted((root / "area0" / "team0" / "part0").glob("*_2.py"))))
        text = path.read_text(encoding="utf-8")
        self.uri = opened.editor.open(path, text)
        self.at = text.index("        found = json")

    async def letter(self, number: int) -> float:
        """Milliseconds from a letter to its suggestion, on a line of its own."""
        editor = self._opened.editor
        new = f"        value_{number} = self."
        began = time.perf_counter()
        editor.replace(self.uri, self.at, self.at, f"{new}\n")
        await editor.suggest(self.uri, self.at + len(new))
        took = (time.perf_counter() - began) * 1000
        editor.replace(self.uri, self.at, self.at + len(new) + 1, "")
        return took

    async def context(self) -> list[str]:
        """The files of which the model was shown something, the last time."""
        state: Any = await self._opened.editor.client.protocol.send_request_async("test/state", {})
        holes = state["holes"] if isinstance(state, dict) else state.holes
        last = holes[-1] if holes else None
        context = last["context"] if isinstance(last, dict) else last.context if last else []
        return [str(piece[0]) for piece in context]


async def typed(typing: Typing, going_on: Callable[[], bool]) -> list[float]:
    """Milliseconds of letters as long as something is going on."""
    times: list[float] = []
    ends = time.monotonic() + _MOST_TYPED_S
    while going_on() and time.monotonic() < ends:
        times.append(await typing.letter(len(times)))
        await asyncio.sleep(_PAUSE_S)
    return times


async def cold(root: Path, cache: Path, command: Sequence[str]) -> list[str]:
    """Rows of a server that finds no index."""
    async with window(root, cache, command, {}) as opened:
        building = asyncio.create_task(built(opened, cache))
        typing = Typing(opened, root)
        await typing.letter(0)
        first = time.perf_counter() - opened.began
        while not (shown := await typing.context()):
            if time.perf_counter() - opened.began > _PATIENCE_S:
                raise RuntimeError("No suggestion was shown anything of other files.")
            await typing.letter(0)
            await asyncio.sleep(_PAUSE_S)
        with_context = time.perf_counter() - opened.began
        during = await typed(typing, lambda: not building.done())
        took, resident, most_disk = await building
        when_built = opened.server.memory_info().rss
        left = iter(range(_AT_REST))
        idle = await typed(typing, lambda: next(left, None) is not None)
        asked = await _symbols(opened)
        after = opened.server.memory_info().rss
        told = [message for message in opened.told if "files" in message]
    ratio = statistics.median(during) / statistics.median(idle)
    return [
        f"| until the first suggestion | {first:.2f} s |",
        f"| until one whose prompt has code of other files ({len(shown)}) | {with_context:.2f} s |",
        f"| built without anything there | {took:.0f} s |",
        f"| builder, resident at most | {resident / 1e6:.0f} MB |",
        f"| on disk while it is built, at most | {most_disk / 1e6:.0f} MB |",
        f"| server, resident when it is built | {when_built / 1e6:.0f} MB |",
        f"| server, resident after all of this | {after / 1e6:.0f} MB |",
        f"| a letter until its suggestion, while it is built | {_spread(during)} |",
        f"| a letter until its suggestion, at rest | {_spread(idle)} |",
        f"| the one as a multiple of the other, medians | {ratio:.2f} × |",
        f"| `workspace/symbol` | {_spread(asked)} |",
        f"| the user was told | {told[0] if told else 'nothing'} |",
    ]


async def warm(root: Path, cache: Path, command: Sequence[str]) -> list[str]:
    """Rows of a server that finds one."""
    async with window(root, cache, command, {}) as opened:
        building = asyncio.create_task(built(opened, cache))
        typing = Typing(opened, root)
        await typing.letter(0)
        first = time.perf_counter() - opened.began
        compared, resident, _ = await building
    return [
        f"| opened again: until the first suggestion | {first:.2f} s |",
        f"| opened again: until the index is compared with the files | {compared:.1f} s |",
        f"| opened again: builder, resident at most | {resident / 1e6:.0f} MB |",
    ]


async def _symbols(opened: Window) -> list[float]:
    times = []
    for noun in _NOUNS:
        for end in range(1, len(noun) + 1):
            began = time.perf_counter()
            await opened.symbols(noun[:end])
            times.append((time.perf_counter() - began) * 1000)
    return times


def _spread(times: Sequence[float]) -> str:
    ordered = sorted(times)
    return f"{statistics.median(ordered):.0f} ms, p95 {ordered[int(len(ordered) * 0.95)]:.0f} ms of {len(ordered)}"


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder) / "many", Path(folder) / "cache"
        began = time.monotonic()
        make(root, files)
        print(f"made in {time.monotonic() - began:.0f} s", file=sys.stderr)
        script = Path(folder) / "script.json"
        script.write_text(json.dumps({"infills": ["name.strip()"]}), encoding="utf-8")
        command = [sys.executable, "-m", "tests.e2e.scripted_server", str(script)]
        rows = [
            *asyncio.run(cold(root, cache, command)),
            f"| on disk afterwards | {size_of_databases(cache) / 1e6:.0f} MB |",
            *asyncio.run(warm(root, cache, command)),
        ]
    lines = [
        f"{files:,} files in Python, JavaScript and Go; the builder runs with nice 19.",
        "",
        "| | |",
        "|---|--:|",
        *rows,
    ]
    write_markdown("many-files", f"python -m benchmarks.many_files --files {files}", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
