"""Starting, sharing, losing and stopping real engine processes through the client's side."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest
from platformdirs import user_cache_path

from lsp_server import own_python
from lsp_server.engine import runtime
from lsp_server.errors import BackendUnavailableError, EngineStartError
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, collect
from lsp_server.inference.launcher import EngineSpec, attach, command_of
from tests.support import gguf
from tests.support.engine import PATIENCE_S, RunningEngine, engine_spec, launch, record_of, shut_down, stop

pytestmark = pytest.mark.real_model

HOLE = InfillRequest("def add(a, b):\n    return ", "\n", 4)


def engine_processes() -> set[int]:
    """Processes that this one has started and that still run."""
    children = psutil.Process().children()
    return {child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE}


@pytest.fixture
async def spec(small_model: Path) -> AsyncIterator[EngineSpec]:
    """An engine of this test's own; whatever runs of it at the end is stopped."""
    spec = engine_spec(small_model, n_ctx=512)
    yield spec
    await stop(spec)


async def test_two_that_attach_at_once_share_one_engine(spec: EngineSpec) -> None:
    progress: list[float] = []
    before = engine_processes()

    first, second = await asyncio.gather(attach(spec, progress.append), attach(spec))

    assert engine_processes() - before == {record_of(spec).pid}
    answers = await asyncio.gather(collect(first.infill(HOLE)), collect(second.infill(HOLE)))
    assert all(answer.text for answer in answers)
    # What /health tells while the model loads.
    assert progress == sorted(progress)
    assert progress
    assert all(0.0 <= fraction <= 1.0 for fraction in progress)
    for backend in (first, second):
        await backend.aclose()

    again = await attach(spec)
    await again.aclose()
    running = RunningEngine(spec, record_of(spec))
    await shut_down(running)
    assert runtime.read(spec.name) is None
    with pytest.raises(httpx.ConnectError):
        await running.client().get("/health")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
async def test_an_engine_that_is_killed_is_noticed_and_replaced(spec: EngineSpec) -> None:
    backend = await attach(spec)
    killed = record_of(spec)
    endless = ChatRequest((Message("user", "Hi"),), 400, grammar="root ::= [a-z ] root")
    answer = backend.chat(endless)
    await anext(answer)

    os.kill(killed.pid, signal.SIGKILL)

    with pytest.raises(BackendUnavailableError) as broken:
        await collect(answer)
    assert broken.value.hint
    await backend.aclose()

    replaced = await attach(spec)
    assert record_of(spec).pid != killed.pid
    assert (await collect(replaced.infill(HOLE))).text
    await replaced.aclose()


async def test_a_second_one_is_not_started_by_hand(spec: EngineSpec) -> None:
    backend = await attach(spec)
    record = record_of(spec)

    process = await asyncio.create_subprocess_exec(
        *command_of(spec), cwd=own_python.FOLDER, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)

    assert process.returncode == 1
    assert f"runs already (process {record.pid}, port {record.port})" in said.decode()
    assert record_of(spec) == record
    await backend.aclose()


async def test_a_port_that_is_taken_is_named(small_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineStartError) as failed:
            await attach(engine_spec(small_model, n_ctx=513, port=port))

    assert f"Port {port} on 127.0.0.1 cannot be used" in failed.value.message
    assert "engine.port" in failed.value.message


async def test_a_wanted_port_is_taken(small_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    spec = engine_spec(small_model, n_ctx=514, port=port)

    running = await launch(spec)

    assert running.record.port == port
    await shut_down(running)


async def test_a_file_that_is_no_gguf_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.gguf"
    path.write_text("Buy milk.\n" * 100, encoding="utf-8")

    with pytest.raises(EngineStartError) as failed:
        await attach(engine_spec(path))

    assert "notes.gguf" in failed.value.message
    assert "GGUF" in failed.value.message
    assert runtime.read(engine_spec(path).name) is None


async def test_a_file_without_layers_is_refused_before_llama_cpp_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "empty.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(1000))
    spec = engine_spec(path)

    with pytest.raises(EngineStartError, match=r"empty\.gguf has no layers"):
        await attach(spec)

    await shut_down(RunningEngine(spec, record_of(spec)))


async def test_a_broken_gguf_is_refused_in_llama_cpps_words(tmp_path: Path) -> None:
    (file,) = gguf.shards([[]], {"general.architecture": "llama", "llama.block_count": 1})
    path = file.write(tmp_path / "broken.gguf")
    spec = engine_spec(path)

    with pytest.raises(EngineStartError) as failed:
        await attach(spec)

    assert "llama.cpp could not load" in failed.value.message
    assert "broken.gguf" in failed.value.message
    assert str(runtime.log_path(spec.name)) in failed.value.hint
    # It stays for a moment, so that everybody who waits can read the reason.
    with pytest.raises(EngineStartError, match=r"llama\.cpp could not load"):
        await attach(spec)
    await shut_down(RunningEngine(spec, record_of(spec)))


async def test_a_model_newer_than_llama_cpp_says_so(tmp_path: Path) -> None:
    tensors = [[gguf.TensorInfo("token_embd.weight", (64, 8))]]
    (file,) = gguf.shards(tensors, {"general.architecture": "tomorrow", "tomorrow.block_count": 1})
    path = file.write(tmp_path / "new.gguf")
    spec = engine_spec(path)

    with pytest.raises(EngineStartError, match=r"(?s)unknown model architecture.*update shardlight"):
        await attach(spec)

    await shut_down(RunningEngine(spec, record_of(spec)))


async def test_a_load_that_survived_its_trial_is_remembered(engine: RunningEngine) -> None:
    remembered = json.loads((user_cache_path("shardlight", appauthor=False) / "load-trials.json").read_text())

    survived = [key for key, outcome in remembered.items() if outcome.get("survived") == []]
    plans = [json.loads(key.rsplit("|", 1)[1]) for key in survived if str(engine.spec.model_path.resolve()) in key]
    assert engine.spec.n_ctx in [plan["n_ctx"] for plan in plans]
    assert {plan["n_gpu_layers"] for plan in plans} == {0}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
async def test_a_signal_stops_an_engine_and_withdraws_its_record(spec: EngineSpec, number: str) -> None:
    running = await launch(spec)

    process = psutil.Process(running.record.pid)
    process.send_signal(getattr(signal, number))
    await asyncio.to_thread(process.wait, PATIENCE_S)

    assert not (runtime.runtime_directory() / f"{spec.name}.json").exists()
