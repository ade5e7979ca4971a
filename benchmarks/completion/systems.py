"""Those who fill the holes: ours through the LSP, llama-server with llama.vim's requests, and nobody."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.completion import llama_vim
from benchmarks.completion.answers import Answer, Answers
from benchmarks.completion.editor import Editor, editor
from benchmarks.completion.holes import Hole
from benchmarks.completion.making import Bench
from benchmarks.completion.projects import Project
from benchmarks.engine.outcome import Setup as EngineSetup
from benchmarks.engine.peers import Server, llama_server
from benchmarks.engine.wire import Address, RefusedRequestError
from lsp_server.engine import runtime
from lsp_server.inference.launcher import EngineSpec

N_CTX = 8192
_VISITED = 4


def settings(model: Path, **completion: Any) -> dict[str, Any]:
    """What the editor is set to: defaults but for the model, on the CPU."""
    return {
        "models": {"completion": str(model)},
        "engine": {"n_gpu_layers": 0, "n_ctx": N_CTX},
        "completion": completion,
    }


@asynccontextmanager
async def window(project: Project, model: Path, **completion: Any) -> AsyncIterator[tuple[Editor, Path]]:
    """An editor in a throw-away copy of a project; its folder."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, project.name)
        shutil.copytree(project.root, root)
        async with editor(root, settings(model, **completion)) as opened:
            yield opened, root


def our_engine(model: Path) -> Address:
    """The engine that the language server has started.

    Raises:
        RuntimeError: there is none.
    """
    name = EngineSpec("", model, N_CTX, n_gpu_layers=0, n_threads=0, port=0, idle_minutes=0).name
    record = runtime.read(name)
    if record is None:
        raise RuntimeError("The language server's engine is not there.")
    return Address(record.url, record.token)


async def ask_ours(
    bench: Bench,
    holes: Sequence[Hole],
    answers: Answers,
    model: Path,
    visited: Callable[[Hole], Sequence[str]] = lambda _hole: (),
    **completion: Any,
) -> None:
    """Ask through the LSP, automatically as while typing; project by project.

    Args:
        visited: files that the user opens before, relative to the project's root.
    """
    for project in bench.projects.values():
        wanted = [hole for hole in holes if hole.project == project.name and hole.id not in answers]
        if not wanted:
            continue
        async with window(project, model, **completion) as (opened, root):
            for hole in wanted:
                answers.add(await _asked(opened, root, bench, hole, visited(hole)))


async def _asked(opened: Editor, root: Path, bench: Bench, hole: Hole, visited: Iterable[str]) -> Answer:
    left = bench.left(hole)
    path = root / hole.path
    whole = path.read_bytes()
    # The truth does not stay on the disk beside the open document.
    path.write_text(left, encoding="utf-8", newline="")
    async with AsyncExitStack() as stack:
        stack.callback(path.write_bytes, whole)
        for other in list(visited)[:_VISITED]:
            stack.callback(opened.close, opened.open(root / other, (root / other).read_text(encoding="utf-8")))
        uri = opened.open(path, left)
        stack.callback(opened.close, uri)
        begun = time.perf_counter()
        found = await opened.suggest(uri, hole.start)
        ms = (time.perf_counter() - begun) * 1000
    if found is None:
        return Answer(hole.id, hole.start, hole.start, "", ms)
    return Answer(hole.id, found.start, found.end, found.text, ms, raw=found.text)


@contextmanager
def recipes_server(setup: EngineSetup) -> Iterator[Server]:
    """llama-server with the options that llama.vim advises."""
    advised = replace(setup, llama_server_args=(*llama_vim.SERVER_ARGS, *setup.llama_server_args))
    with llama_server(advised, setup.model, llama_vim.N_UBATCH, n_ctx=N_CTX) as server:
        yield server


def ask_plain(server: Server, bench: Bench, holes: Sequence[Hole], answers: Answers) -> None:
    """Plain filling in the usual order through ``/completion``, greedily."""
    _ask_recipe(bench, holes, answers, lambda c: server.address.post("/completion", llama_vim.plain(c)))


def ask_infill(server: Server, bench: Bench, holes: Sequence[Hole], answers: Answers, seed: int) -> None:
    """``/infill`` with llama.vim's request; of its two time limits the longer."""

    def post(c: llama_vim.Context) -> dict[str, Any]:
        return server.address.post("/infill", llama_vim.infill(c, t_max_predict_ms=llama_vim.T_MOST_MS, seed=seed))

    _ask_recipe(bench, holes, answers, post)


def _ask_recipe(
    bench: Bench, holes: Sequence[Hole], answers: Answers, post: Callable[[llama_vim.Context], dict[str, Any]]
) -> None:
    for hole in holes:
        if hole.id in answers:
            continue
        c = llama_vim.context(bench.left(hole), hole.start)
        begun = time.perf_counter()
        content = str(post(c)["content"])
        ms = (time.perf_counter() - begun) * 1000
        answers.add(recipes_answer(hole, c, content, ms))


def recipes_answer(hole: Hole, c: llama_vim.Context, content: str, ms: float) -> Answer:
    """What llama.vim would offer of a model's answer."""
    offered = llama_vim.shown(content, c)
    if offered is None:
        return Answer(hole.id, hole.start, hole.start, "", ms, raw=content)
    back, text = offered
    return Answer(hole.id, hole.start - back, hole.start, text, ms, raw=content)


def first_line_only(bench: Bench, hole: Hole, answer: Answer) -> Answer:
    """The same answer with llama.vim's option to stop at a line's end: greedy, it would have begun alike."""
    c = llama_vim.context(bench.left(hole), hole.start)
    return recipes_answer(hole, c, answer.raw.split("\n")[0], answer.ms)


@contextmanager
def engine_ended(model: Path) -> Iterator[None]:
    """The engine that the language server starts meanwhile outlives it, by design: it is ended afterwards."""
    try:
        yield
    finally:
        with contextlib.suppress(RuntimeError, OSError, RefusedRequestError):
            our_engine(model).post("/shutdown", {})
