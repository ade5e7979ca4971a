"""Milliseconds from the cancel button of an action's progress to an engine that does nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import httpx
from lsprotocol import types as lsp

from benchmarks.actions.sources import Function, sample
from benchmarks.actions.window import RefusedActionError, Window, window
from benchmarks.results import write_markdown
from lsp_server.engine import runtime
from lsp_server.inference.sources import engine_spec
from lsp_server.models.store import store_from
from lsp_server.settings.schema import Settings
from lsp_server.text.positions import LineIndex, PositionEncoding

_COMMANDS = ("docstring", "explain", "simplify", "findBugs", "unitTests")
_LONGEST_S, _POLL_S, _PATIENCE_S = 2.0, 0.002, 30.0
_BAR_MS = 200


@dataclass(frozen=True, slots=True)
class Cancelled:
    """One action that was cancelled, so many milliseconds before the engine was idle."""

    command: str
    milliseconds: float


async def run(model: str, count: int, seed: int) -> list[Cancelled]:
    """So many actions of Python functions, each cancelled by chance within its first two seconds at the engine."""
    choice = random.Random(seed)
    settings = Settings()
    settings = replace(settings, models=replace(settings.models, completion=model, assistant=model))
    spec = engine_spec(settings, store_from(settings.models.directory, registry_mirror=False), "assistant")
    functions = [one for one in sample(count * 2, seed) if one.language == "python"]
    found: list[Cancelled] = []
    models = {"completion": model, "assistant": model}
    root = functions[0].root
    async with window(root, {"models": models, "index": {"enabled": False}}) as opened, httpx.AsyncClient() as client:
        for function in functions:
            command = _COMMANDS[len(found) % len(_COMMANDS)]
            took = await _cancelled(opened, client, spec.name, function, command, choice)
            if took is not None:
                found.append(Cancelled(command, took))
            if len(found) == count:
                break
    return found


async def _cancelled(
    opened: Window,
    client: httpx.AsyncClient,
    engine: str,
    function: Function,
    command: str,
    choice: random.Random,
) -> float | None:
    """How long it took; None for an action that never came to the engine, or was ready before."""
    uri, text = function.path.as_uri(), function.path.read_bytes().decode("utf-8")
    item = lsp.TextDocumentItem(uri, function.language, 1, text)
    opened.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
    line, character = LineIndex(text).position(function.scope.body_start, PositionEncoding.UTF16)
    argument = {"uri": uri, "position": {"line": line, "character": character}}
    while not opened.progress.empty():
        opened.progress.get_nowait()
    params = lsp.ExecuteCommandParams(f"shardlight.{command}", [argument])
    working = asyncio.ensure_future(opened.client.workspace_execute_command_async(params))
    try:
        token = await asyncio.wait_for(opened.progress.get(), _PATIENCE_S)
        if not await _until(client, engine, busy=True, unless=working):
            return None
        await asyncio.sleep(choice.uniform(0.0, _LONGEST_S))
        if not await _is_busy(client, engine):
            return None
        begun = time.perf_counter()
        opened.client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token))
        await _until(client, engine, busy=False)
        return (time.perf_counter() - begun) * 1000
    except (asyncio.TimeoutError, RefusedActionError):
        return None
    finally:
        # However it ended, it is known here.
        await asyncio.wait([working], timeout=_PATIENCE_S)
        if working.done() and not working.cancelled():
            working.exception()
        opened.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))


async def _until(
    client: httpx.AsyncClient, engine: str, *, busy: bool, unless: asyncio.Future[object] | None = None
) -> bool:
    """Wait for an engine that works, or does not; False if something is done before."""
    deadline = time.monotonic() + _PATIENCE_S
    while await _is_busy(client, engine) is not busy:
        if (unless and unless.done()) or time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


async def _is_busy(client: httpx.AsyncClient, engine: str) -> bool:
    record = runtime.read(engine)
    if record is None:
        return False
    answer = await client.get(f"{record.url}/slots", headers=record.headers)
    return any(slot["is_processing"] for slot in answer.json())


def report(found: Sequence[Cancelled], command: str) -> None:
    """Write the table."""
    lines = [
        f"{len(found)} actions, cancelled by chance within two seconds of their work at the engine.",
        "",
        "| | actions | median | p95 | longest | bar |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    groups = [("all", list(found)), *((name, [one for one in found if one.command == name]) for name in _COMMANDS)]
    for name, group in groups:
        if group:
            ms = sorted(one.milliseconds for one in group)
            p95 = ms[min(len(ms) - 1, round(len(ms) * 0.95))]
            bar = f"{_BAR_MS} ms" if name == "all" else ""
            lines.append(f"| {name} | {len(ms)} | {ms[len(ms) // 2]:.0f} | {p95:.0f} | {ms[-1]:.0f} | {bar} |")
    write_markdown("actions-cancel", command, lines)
