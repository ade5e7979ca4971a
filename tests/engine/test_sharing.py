"""One engine for everybody: started once, leased, replaced by a newer version, asked for room."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

import lsp_server
from lsp_server.engine import runtime
from lsp_server.inference import ending, launcher
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, collect
from lsp_server.inference.ending import drained
from lsp_server.inference.launcher import EngineSpec, attach
from lsp_server.inference.switching import dismiss, in_the_way
from tests.support.engine import PATIENCE_S, RunningEngine, engine_spec, record_of, shut_down, stop

pytestmark = pytest.mark.real_model

HOLE = InfillRequest("def add(a, b):\n    return ", "\n", 4)
CLIENTS = 20
_POLL_S = 0.05
# What each of many clients does: wait for the word, attach, ask, tell which engine answered.
CLIENT = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from lsp_server.engine import runtime
from lsp_server.inference.backend import InfillRequest, collect
from lsp_server.inference.launcher import attach
from tests.support.engine import engine_spec

async def main():
    spec = replace(engine_spec(Path(sys.argv[1]), n_ctx=int(sys.argv[2])), model_id=sys.argv[3])
    print("here", flush=True)
    sys.stdin.readline()
    backend = await attach(spec)
    answer = await collect(backend.infill(InfillRequest("def add(a, b):\\n    return ", "\\n", 4)))
    print(runtime.read(spec.name).pid, bool(answer.text), flush=True)
    sys.stdin.readline()
    await backend.aclose()

asyncio.run(main())
"""


async def props(spec: EngineSpec) -> dict[str, Any]:
    async with RunningEngine(spec, record_of(spec)).client() as client:
        found: dict[str, Any] = (await client.get("/props")).json()
        return found


async def clients_become(spec: EngineSpec, number: int) -> dict[str, Any]:
    """Wait until so many processes have the engine: a connection's end takes a moment to arrive."""
    told = await props(spec)
    for _ in range(int(PATIENCE_S / _POLL_S)):
        if told["clients"] == number:
            break
        await asyncio.sleep(_POLL_S)
        told = await props(spec)
    return told


@pytest.fixture
async def spec(small_model: Path) -> AsyncIterator[EngineSpec]:
    """An engine of this test's own; whatever runs of it at the end is stopped."""
    spec = engine_spec(small_model, n_ctx=768)
    yield spec
    await stop(spec)


async def test_twenty_programs_that_begin_at_once_share_one_engine(small_model: Path, spec: EngineSpec) -> None:
    root = Path(lsp_server.__file__).parents[1]
    # By which its processes are known: they name themselves.
    model_id = f"of-{os.getpid()}"
    clients = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", CLIENT, str(small_model), str(spec.n_ctx), model_id),
            cwd=root,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(CLIENTS)
    ]
    streams = [(client.stdin, client.stdout) for client in clients]
    for _, out in streams:
        assert out
        assert await out.readline() == b"here\n"
    for into, _ in streams:
        assert into
        into.write(b"now\n")
    told = {await out.readline() for _, out in streams if out}

    assert told == {b"%d True\n" % record_of(spec).pid}
    engines = [p.pid for p in psutil.process_iter(["cmdline"]) if model_id in " ".join(p.info["cmdline"] or [])]
    assert {*engines} == {record_of(spec).pid, *(client.pid for client in clients)}
    assert (await props(spec))["clients"] == CLIENTS

    for into, _ in streams:
        assert into
        into.write(b"go\n")
    assert [await client.wait() for client in clients] == [0] * CLIENTS
    assert (await clients_become(spec, 0))["unused"] is True


async def test_a_lease_ends_with_its_client(spec: EngineSpec) -> None:
    first, second = await attach(spec), await attach(spec)
    # Both are this process's.
    told = await props(spec)
    assert (told["clients"], told["unused"]) == (1, False)
    await first.aclose()
    assert (await props(spec))["clients"] == 1
    await second.aclose()
    assert (await clients_become(spec, 0))["unused"] is True


async def test_an_engine_of_an_older_version_finishes_and_makes_room(
    spec: EngineSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = await attach(spec)
    old = record_of(spec)
    answer = window.chat(ChatRequest((Message("user", "Hi"),), 40, grammar='root ::= "a"{40}'))
    begun = await anext(answer)

    monkeypatch.setattr(launcher, "__version__", "99.0")
    newer = await attach(spec)

    # What was under way came to its end before the old one went.
    rest = [chunk async for chunk in answer]
    assert (begun.text + "".join(chunk.text for chunk in rest)) == "a" * 40
    assert record_of(spec).pid != old.pid
    assert not psutil.pid_exists(old.pid) or psutil.Process(old.pid).status() == psutil.STATUS_ZOMBIE
    assert (await collect(newer.infill(HOLE))).text
    await newer.aclose()
    await window.aclose()


@pytest.mark.parametrize("version", ["0.0.1", "not a version"])
def test_an_older_one_is_outdated(version: str) -> None:
    assert launcher.is_outdated(version)


@pytest.mark.parametrize("version", [lsp_server.__version__, "99.0"])
def test_one_of_the_same_or_a_newer_version_serves(version: str) -> None:
    assert not launcher.is_outdated(version)


async def test_an_engine_that_drains_takes_no_more(spec: EngineSpec) -> None:
    backend = await attach(spec)
    running = RunningEngine(spec, record_of(spec))
    async with running.client() as client, client.stream("POST", "/infill", json={"n_predict": 400}) as answer:
        lines = answer.aiter_lines()
        await client.post("/drain")
        assert runtime.read(spec.name) is None
        refused = await client.post("/infill", json={"input_prefix": "a", "n_predict": 1})
        assert refused.status_code == 503
        assert "about to end" in refused.json()["error"]["message"]
        async for _ in lines:
            pass
    await asyncio.to_thread(psutil.Process(running.record.pid).wait, PATIENCE_S)
    await backend.aclose()


async def test_one_that_is_stuck_while_it_drains_is_ended(spec: EngineSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    await (await attach(spec)).aclose()
    record = record_of(spec)
    record.process().suspend()
    monkeypatch.setattr(ending, "DRAIN_S", 0.1)
    monkeypatch.setattr(httpx.AsyncClient, "post", _times_out)

    await drained(record)

    await asyncio.to_thread(record.process().wait, PATIENCE_S)


async def _times_out(*_: object, **__: object) -> None:
    raise httpx.ReadTimeout("")


async def test_a_model_that_is_replaced_is_loaded_anew(small_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    os.link(small_model, path)
    spec = engine_spec(path, n_ctx=512)
    backend = await attach(spec)
    before = record_of(spec)

    aside = tmp_path / "aside"
    shutil.copy(small_model, aside)
    aside.replace(path)
    await asyncio.to_thread(before.process().wait, PATIENCE_S)

    await backend.aclose()
    again = await attach(spec)
    assert record_of(spec).pid != before.pid
    assert (await collect(again.infill(HOLE))).text
    await again.aclose()
    await shut_down(RunningEngine(spec, record_of(spec)))


async def test_a_model_that_is_deleted_is_served_on(small_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    os.link(small_model, path)
    spec = engine_spec(path, n_ctx=512)
    backend = await attach(spec)

    path.unlink()
    await asyncio.sleep(2.5)  # it looks every second

    assert (await collect(backend.infill(HOLE))).text
    await backend.aclose()
    await shut_down(RunningEngine(spec, record_of(spec)))


async def test_what_an_engine_takes_stands_in_its_record(spec: EngineSpec) -> None:
    await (await attach(spec)).aclose()
    record, told = record_of(spec), await props(spec)
    assert record.loaded
    assert record.claims == {device["name"]: device["total_bytes"] for device in told["plan"]["devices"]}
    assert record.claims["CPU"] > 300_000_000


async def test_one_that_nobody_has_is_dismissed_and_no_other(spec: EngineSpec) -> None:
    backend = await attach(spec)
    pid = record_of(spec).pid
    assert not await dismiss(spec)
    await backend.aclose()
    assert await dismiss(spec)
    assert runtime.read(spec.name) is None
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert await dismiss(spec)


async def test_whether_a_successor_fits_beside(spec: EngineSpec, small_model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    os.link(small_model, other)
    new = engine_spec(other, n_ctx=512)
    assert not in_the_way(spec, new)
    await (await attach(spec)).aclose()
    assert not in_the_way(spec, new)

    # As if it had all the memory that there is.
    runtime.update(spec.name, record_of(spec).pid, claims={"CPU": psutil.virtual_memory().total})
    assert in_the_way(spec, new)
    assert not in_the_way(spec, spec)


async def test_an_engine_that_nobody_has_any_more_makes_room_for_another(
    spec: EngineSpec, small_model: Path, tmp_path: Path
) -> None:
    backend = await attach(spec)
    old = record_of(spec)
    await backend.aclose()
    await clients_become(spec, 0)
    runtime.update(spec.name, old.pid, claims={"CPU": psutil.virtual_memory().total})
    other = tmp_path / "other.gguf"
    os.link(small_model, other)
    new = engine_spec(other, n_ctx=512)

    backend = await attach(new)

    assert runtime.read(spec.name) is None
    assert (await collect(backend.infill(HOLE))).text
    await backend.aclose()
    await shut_down(RunningEngine(new, record_of(new)))


async def test_two_models_have_an_engine_each_and_know_of_each_other(spec: EngineSpec, tiny_deepseek4: Path) -> None:
    other = engine_spec(tiny_deepseek4, n_ctx=512)
    both = await asyncio.gather(attach(spec), attach(other))

    answers = await asyncio.gather(*(collect(backend.infill(HOLE)) for backend in both))

    assert all(answer.timings and answer.timings.predicted_tokens for answer in answers)
    records = [record_of(spec), record_of(other)]
    assert len({record.pid for record in records}) == 2
    assert all(record.claims["CPU"] > 0 for record in records)
    for backend in both:
        await backend.aclose()
    await shut_down(RunningEngine(other, records[1]))


async def test_the_log_of_an_engine_has_no_code_and_no_complaint_of_what_is_cancelled(spec: EngineSpec) -> None:
    backend = await attach(spec)
    async with aclosing(backend.chat(ChatRequest((Message("user", "Count. " * 100),), 100))) as cancelled:  # type: ignore[type-var]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(cancelled), 0.1)
    secret = "swordfish_4711"
    await collect(backend.infill(InfillRequest(f"def {secret}():\n    return ", "\n", 4)))
    await collect(backend.chat(ChatRequest((Message("user", secret),), 4)))
    async with RunningEngine(spec, record_of(spec)).client() as client:
        await client.post("/infill", content=f'{{"input_prefix": "{secret}", "n_predict": "many"}}')
        await client.post("/infill", content=f"{secret} is no JSON")
    await backend.aclose()

    log = runtime.log_path(spec.name).read_text(encoding="utf-8")
    assert "Ready: small" in log
    assert secret not in log
    assert "ERROR" not in log
