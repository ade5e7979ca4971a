"""A person at a window: what they do next is a matter of chance, of a seed."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from benchmarks.completion.editor import Suggested
from benchmarks.completion.typist import accepts, after_accepting, keys
from benchmarks.soak.record import Record
from benchmarks.soak.window import Window

_MOST_OPEN = 5
_LONGEST_FILE = 60_000
_MOST_TYPED = 160
# Share of the suggestions that are not what the person wanted, and taken all the same; and taken back.
_WRONGLY_TAKEN = 0.08
# Where they stop to think, besides the beginnings of lines, and how long at most if nothing is suggested.
_THINKS, _THINKS_S = 0.03, 4.0
_CANCELLED = 0.25
_KEPT_EDITS = 0.25
_MOST_SCRATCH = 8
_ACTIONS = ("docstring", "addTypes", "simplify", "renameVariables", "classDocstring", "split")
_WORDS = ("Console", "render", "parse", "get", "Token", "_make", "visit", "Style", "write_", "Node")
_SAID = ("undefined name 'result'", "unused variable", "list index out of range")
OTHER_SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"completion": {"context": "recent"}},
    {"completion": {"look_ahead": False, "max_tokens": 48}},
    {"index": {"exclude": ["[a-f]*.py"]}},
    {"index": {"enabled": False}},
    {"bug_hints": {"on_save": True}},
    {"docstring": {"style": "numpy"}},
)


class Person:
    """Who works in one window.

    Attributes:
        pause: waits for a while, given in seconds at full speed.
    """

    def __init__(
        self,
        window: Window,
        base: dict[str, Any],
        rng: random.Random,
        record: Record,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self._window, self._base, self._rng, self._record, self._pause = window, base, rng, record, pause
        self._opened: dict[str, Path] = {}
        self._scratch: list[Path] = []
        self._created = 0
        self._scenes: tuple[tuple[int, Callable[[], Awaitable[None]]], ...] = (
            (34, self.type_again),
            (10, self.switch),
            (12, self.list_actions),
            (6, self.act),
            (4, self.explain),
            (3, self.fix),
            (3, self.find_bugs),
            (8, self.save),
            (5, self.symbols),
            (6, self.change_files),
            (3, self.paste),
            (2, self.change_settings),
            (4, self.rest),
        )

    async def live(self, until: Callable[[], bool]) -> None:
        """Work until it is time. Raises LostError as requests do."""
        await self.switch()
        weights, scenes = zip(*self._scenes, strict=True)
        while not until():
            (scene,) = self._rng.choices(scenes, weights)
            self._record.count(scene.__name__)
            await scene()
            await self._pause(self._rng.uniform(0.5, 2.0))

    async def switch(self) -> None:
        """Go to another file; the one that was opened first is closed if there are many."""
        # The probe's file, beside the package, is opened and closed by somebody else.
        found = sorted(self._window.root.glob("*/**/*.py"))
        files = [path for path in found if path.stat().st_size < _LONGEST_FILE]
        path = self._rng.choice(files)
        if path not in self._opened.values():
            self._opened[self._window.open(path, path.read_text(encoding="utf-8"))] = path
        while len(self._opened) > _MOST_OPEN:
            self._close(next(iter(self._opened)))
        await self._pause(0.3)

    def _close(self, uri: str) -> None:
        self._window.close(uri)
        del self._opened[uri]

    async def _document(self) -> str:
        if not self._opened:
            await self.switch()
        return self._rng.choice(list(self._opened))

    async def type_again(self) -> None:
        """Delete some lines and write them again, with what is suggested."""
        uri = await self._document()
        before = self._window.texts[uri]
        start, end = self._lines(before)
        wanted = before[start:end]
        if not wanted:
            return
        self._window.replace(uri, start, end, "")
        at = start
        rest = keys(wanted, self._rng.randrange(2**31))
        while rest:
            key = rest.pop(0)
            self._window.replace(uri, at, at, key.text)
            at += len(key.text)
            thinks = key.pause or self._rng.random() < _THINKS
            then_s = max(key.then_s, _THINKS_S) if thinks else key.then_s
            suggested = await self._suggested(uri, at, then_s, pause=thinks)
            to_come = "".join(one.text for one in rest)
            if suggested is None or suggested.start != at:
                continue
            if accepts(suggested.text, to_come) and suggested.end == at:
                at = await self._window.accept(uri, suggested)
                rest = after_accepting(rest, len(suggested.text))
                self._record.count("accepted")
            elif self._rng.random() < _WRONGLY_TAKEN:
                await self._take_back(uri, suggested)
        if self._rng.random() < _KEPT_EDITS:
            return
        # Undone, step by step, as an editor does where somebody holds the key.
        while at > start:
            step = min(at - start, 20)
            self._window.replace(uri, at - step, at, "")
            at -= step
            await asyncio.sleep(0.03)
        self._window.replace(uri, start, start, wanted)

    async def _suggested(self, uri: str, at: int, then_s: float, *, pause: bool) -> Suggested | None:
        """What came before the next key."""
        kind = "at a pause" if pause else "at a key"
        asked = asyncio.create_task(self._window.suggestion(uri, at, kind))
        done, _ = await asyncio.wait({asked}, timeout=then_s)
        if done:
            await asyncio.sleep(0.1)
            if pause and self._window.popups and asked.result() is None:
                # A list has come without us: the person asks for it once more.
                await asyncio.sleep(then_s / 2)
                return await self._window.suggestion(uri, at, "asked again")
            return asked.result()
        asked.cancel()
        await asyncio.wait({asked})
        return None if asked.cancelled() else asked.result()

    async def _take_back(self, uri: str, suggested: Suggested) -> None:
        replaced = self._window.texts[uri][suggested.start : suggested.end]
        end = await self._window.accept(uri, suggested)
        await self._pause(0.5)
        self._window.replace(uri, suggested.start, end, replaced)
        self._record.count("taken back")

    def _lines(self, text: str) -> tuple[int, int]:
        """Some whole lines, less the line feed at the end."""
        lines = text.split("\n")
        first = self._rng.randrange(len(lines))
        last = min(len(lines), first + self._rng.randint(1, 4))
        start = sum(len(line) + 1 for line in lines[:first])
        return start, start + len("\n".join(lines[first:last])[:_MOST_TYPED])

    def _place(self, uri: str) -> lsp.Position:
        """Somewhere in a function, if there is one."""
        text = self._window.texts[uri]
        found = [match.end() for match in re.finditer(r"^ *(?:async )?def \w+", text, re.MULTILINE)]
        return self._window.at(uri, self._rng.choice(found) if found else self._rng.randrange(len(text) + 1))

    async def _actions(self, uri: str, at: lsp.Position, *problems: lsp.Diagnostic) -> list[lsp.CodeAction]:
        return await self._window.list_at(uri, at, "list of actions", problems)

    async def list_actions(self) -> None:
        """Look at the light bulb at some places."""
        uri = await self._document()
        for _ in range(self._rng.randint(2, 8)):
            await self._actions(uri, self._place(uri))
            await self._pause(0.3)

    async def act(self) -> None:
        """Have something written, look at it, and take it back."""
        uri = await self._document()
        actions = await self._actions(uri, self._place(uri))
        offered = [one for one in actions if one.data and _name(one) in _ACTIONS]
        if offered:
            await self._resolve(uri, self._rng.choice(offered), "action")

    async def fix(self) -> None:
        """Have something mended that a tool is said to have found."""
        uri = await self._document()
        at = self._place(uri)
        problem = lsp.Diagnostic(lsp.Range(at, at), self._rng.choice(_SAID), source="a tool")
        actions = [one for one in await self._actions(uri, at, problem) if one.data and _name(one) == "fix"]
        if actions:
            await self._resolve(uri, actions[0], "fix")

    async def _resolve(self, uri: str, action: lsp.CodeAction, kind: str) -> None:
        before = self._window.texts[uri]
        resolved = await self._window.ask(kind, lsp.CODE_ACTION_RESOLVE, action, **self._patience())
        if resolved is not None and resolved.edit and self._window.apply(resolved.edit):
            await self._pause(1.0)
            self._window.replace(uri, 0, len(self._window.texts[uri]), before)

    def _patience(self) -> dict[str, float]:
        return {"patience_s": self._rng.uniform(0.1, 3.0)} if self._rng.random() < _CANCELLED else {}

    async def explain(self) -> None:
        """Have a function explained."""
        await self._command("explain", "explanation")

    async def find_bugs(self) -> None:
        """Have a function looked through."""
        await self._command("findBugs", "search for bugs")

    async def _command(self, name: str, kind: str) -> None:
        uri = await self._document()
        at = self._place(uri)
        argument = {"uri": uri, "position": {"line": at.line, "character": at.character}}
        params = lsp.ExecuteCommandParams(f"shardlight.{name}", [argument])
        await self._window.ask(kind, lsp.WORKSPACE_EXECUTE_COMMAND, params, **self._patience())

    async def save(self) -> None:
        """Save a document."""
        uri = await self._document()
        self._window.save(uri, self._opened[uri])

    async def symbols(self) -> None:
        """Look for names in the workspace, letter by letter."""
        word = self._rng.choice(_WORDS)
        for end in range(1, len(word) + 1):
            await self._window.ask("names", lsp.WORKSPACE_SYMBOL, lsp.WorkspaceSymbolParams(word[:end]))
            await self._pause(0.1)

    async def change_files(self) -> None:
        """Create, rename or delete files, or switch to another branch, where many change at once."""
        root = self._window.root
        what = self._rng.random()
        if what < 0.4 or not self._scratch:
            self._created += 1
            path = root / f"scratch_{self._created}_{self._rng.randrange(1000)}.py"
            source = self._rng.choice(sorted(root.rglob("*.py")))
            path.write_text(source.read_text(encoding="utf-8")[:5000] + "\n", encoding="utf-8")
            self._scratch.append(path)
            self._window.changed_on_disk((path, lsp.FileChangeType.Created))
        elif what < 0.7:
            path = self._scratch.pop(0)
            self._leave(path)
            new = path.with_name(f"renamed_{path.name}"[-40:])
            path.rename(new)
            self._scratch.append(new)
            self._window.changed_on_disk((path, lsp.FileChangeType.Deleted), (new, lsp.FileChangeType.Created))
        elif what < 0.85:
            closed = [path for path in sorted(root.rglob("*.py")) if path not in self._opened.values()]
            some = self._rng.sample(closed, min(20, len(closed)))
            for path in some:
                path.write_text(path.read_text(encoding="utf-8").rstrip() + "\n" * self._rng.randint(1, 3), "utf-8")
            self._window.changed_on_disk(*((path, lsp.FileChangeType.Changed) for path in some))
        while len(self._scratch) > _MOST_SCRATCH or (what >= 0.85 and self._scratch):
            path = self._scratch.pop(0)
            self._leave(path)
            path.unlink()
            self._window.changed_on_disk((path, lsp.FileChangeType.Deleted))
            what = 0.0

    def _leave(self, path: Path) -> None:
        for uri, opened in list(self._opened.items()):
            if opened == path:
                self._close(uri)

    async def paste(self) -> None:
        """Paste much, and take it back."""
        uri = await self._document()
        at = self._rng.randrange(len(self._window.texts[uri]) + 1)
        lines = "\n" + "".join(f"value_{number} = compute({number})\n" for number in range(500))
        self._window.replace(uri, at, at, lines)
        await self._window.suggestion(uri, at + len(lines), "after pasting")
        self._window.replace(uri, at, at + len(lines), "")

    async def change_settings(self) -> None:
        """Try another setting."""
        self._window.settings({**self._base, **self._rng.choice(OTHER_SETTINGS)})
        await self._pause(0.5)

    async def rest(self) -> None:
        """Read, or talk to somebody."""
        await self._pause(self._rng.uniform(5.0, 15.0))


def _name(action: lsp.CodeAction) -> str:
    data = action.data
    return str(data.get("action") if isinstance(data, dict) else getattr(data, "action", ""))
