"""Typing into an editor with llama.vim: when it asks, what it looks up, and what it asks ahead."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.completion import llama_vim
from benchmarks.engine.wire import Address


class VimTyping:
    """A document that is typed in; the recipe's ring of other places is left out, which spares it longer prompts."""

    def __init__(self, address: Address, text: str, at: int, seed: int) -> None:
        self._address = address
        self._text = text
        self._at = at
        self._seed = seed
        self._cache = llama_vim.Cache()
        self._job: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._shown = asyncio.Event()
        self._begun = self._ms = 0.0

    def type(self, text: str) -> None:
        """A keystroke."""
        self._begun = time.perf_counter()
        self._shown.clear()
        self._text = self._text[: self._at] + text + self._text[self._at :]
        self._at += len(text)
        self._try_hint()
        self._ask()

    @property
    def shown(self) -> bool:
        """Whether something is suggested."""
        return self._shown.is_set()

    async def answered(self, patience_s: float) -> float | None:
        """Wait for a suggestion; its milliseconds since the last keystroke, None if nothing is suggested."""
        try:
            await asyncio.wait_for(self._shown.wait(), patience_s)
        except asyncio.TimeoutError:
            return None
        return self._ms

    async def stop(self) -> None:
        """Nothing is wanted any more; what runs is waited for."""
        if self._timer:
            self._timer.cancel()
        if self._job:
            await asyncio.wait([self._job])

    def _try_hint(self) -> None:
        """Show what is known for the place, and ask for what may follow it."""
        c = llama_vim.context(self._text, self._at)
        found = self._cache.lookup(c)
        offered = llama_vim.shown(found, c) if found is not None else None
        if offered:
            self._ms = (time.perf_counter() - self._begun) * 1000
            self._shown.set()
            back, text = offered
            self._ask(ahead=text[back:], indent=c.indent)

    def _ask(self, ahead: str = "", indent: int = 0) -> None:
        if self._job and not self._job.done():
            if self._timer:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(llama_vim.RETRY_S, self._ask, ahead, indent)
            return
        c = llama_vim.context(self._text, self._at, ahead, indent)
        if len(c.line_suffix) > llama_vim.MOST_LINE_SUFFIX or c in self._cache:
            return
        body = llama_vim.infill(
            c, t_max_predict_ms=llama_vim.T_MOST_MS if ahead else llama_vim.T_FIRST_MS, seed=self._seed
        )
        self._job = asyncio.create_task(self._request(c, body))

    async def _request(self, c: llama_vim.Context, body: dict[str, Any]) -> None:
        answer = await asyncio.to_thread(self._address.post, "/infill", body)
        self._cache.insert(c, str(answer["content"]))
        self._job = None
        if not self.shown:
            self._try_hint()
