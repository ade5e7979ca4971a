"""Servers that fill holes, ours and llama-server: started, asked and stopped alike; answers in one form."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol
from unittest import mock

import psutil

from benchmarks.engine.outcome import Setup
from benchmarks.engine.wire import Address, Arrival, Json, RefusedRequestError, Stream
from lsp_server.engine import processor, runtime
from lsp_server.inference.launcher import EngineSpec, attach

N_CTX = 2048
N_PREDICT = 24
BATCHES = (32, 64, 512)
"""llama-server's ``-ub``, of which its best counts."""
_PATIENCE_S = 120.0
_HOME = ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer was and cost.

    Attributes:
        evaluated, reused: tokens of the prompt.
        ttft_ms, wall_ms: from sending the request to its first event with text and to its last event.
        prompt_ms: as the server tells it, like the rates (tokens per second).
    """

    text: str
    evaluated: int
    reused: int
    generated: int
    ttft_ms: float
    wall_ms: float
    prompt_ms: float
    prefill_per_s: float
    decode_per_s: float

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.text.strip()


class Filler(Protocol):
    """Somebody who fills holes."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def infill(self, prefix: str, suffix: str, *, document: str = "", **fields: Any) -> Answer:
        """Fill a hole."""
        ...


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs.

    Attributes:
        ours: whether it knows documents and priorities.
        fields: that go along with each hole.
    """

    name: str
    address: Address
    pid: int
    ours: bool
    fields: Json = field(default_factory=dict)

    def infill(self, prefix: str, suffix: str, *, document: str = "", **fields: Any) -> Answer:
        """Fill a hole, greedily, with exactly ``N_PREDICT`` tokens unless ``fields`` say otherwise."""
        stream = Stream(self.address, "/infill", self.infill_body(prefix, suffix, document=document, **fields))
        try:
            return answer_of(list(stream))
        finally:
            stream.close()

    def infill_body(self, prefix: str, suffix: str, *, document: str = "", **fields: Any) -> Json:
        """What is posted to ``/infill``."""
        common = {"n_predict": N_PREDICT, "temperature": 0.0, "ignore_eos": True, "cache_prompt": True}
        own = {"priority": "inline", "document": document} if self.ours else {}
        return {"input_prefix": prefix, "input_suffix": suffix, **common, **own, **self.fields, **fields}

    def chat(self, content: str, **fields: Any) -> Answer:
        """Answer a message, greedily."""
        stream = Stream(self.address, "/v1/chat/completions", chat_body(content, **fields))
        try:
            return answer_of(list(stream))
        finally:
            stream.close()

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids of a text, in which the spellings of control tokens are text unless ``special``."""
        body = {"content": text, "parse_special": special, "add_special": False}
        return self.address.post("/tokenize", body)["tokens"]  # type: ignore[no-any-return]

    def warm_up(self) -> None:
        """The first request of a process pays for pages and threads."""
        self.infill("def warm_up():\n    ", "\n")


def chat_body(content: str, **fields: Any) -> Json:
    """What is posted to ``/v1/chat/completions``."""
    return {"messages": [{"role": "user", "content": content}], "temperature": 0.0, **fields}


def text_of(message: Json) -> str:
    """The piece of the answer in an event of ``/infill`` or of a chat."""
    choices = message.get("choices")
    if choices is not None:
        return str(choices[0]["delta"].get("content") or "") if choices else ""
    return str(message.get("content", ""))


def answer_of(arrivals: Sequence[Arrival]) -> Answer:
    """The whole of a streamed answer.

    Raises:
        RefusedRequestError: it broke off.
    """
    if not arrivals or not (t := arrivals[-1].message.get("timings")):
        raise RefusedRequestError("the answer broke off")
    first = next((one.seconds for one in arrivals if text_of(one.message)), arrivals[-1].seconds)
    return Answer(
        text="".join(text_of(one.message) for one in arrivals),
        evaluated=int(t["prompt_n"]),
        reused=int(t.get("cache_n", 0)),
        generated=int(t["predicted_n"]),
        ttft_ms=first * 1000,
        wall_ms=arrivals[-1].seconds * 1000,
        prompt_ms=float(t["prompt_ms"]),
        prefill_per_s=float(t["prompt_per_second"] or 0.0),
        decode_per_s=float(t["predicted_per_second"] or 0.0),
    )


@contextmanager
def home() -> Iterator[Path]:
    """A home of its own for everything that is started: no engine of the user's is used, nothing of theirs written."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, dict.fromkeys(_HOME, folder)):
        yield Path(folder)


@contextmanager
def ours(model: Path, *, n_ctx: int = N_CTX) -> Iterator[Server]:
    """Our engine on the CPU, as the language server starts it; a warm one.

    Raises:
        EngineStartError: it did not come up.
    """
    spec = EngineSpec("benchmark", model, n_ctx, n_gpu_layers=0, n_threads=0, port=0, idle_minutes=60)

    async def start() -> None:
        await (await attach(spec)).aclose()

    asyncio.run(start())
    record = runtime.read(spec.name)
    if record is None:
        raise RuntimeError("The engine left as soon as it had loaded.")
    process = record.process()
    server = Server("ours", Address(record.url, record.token), record.pid, ours=True)
    try:
        server.warm_up()
        yield server
    finally:
        with contextlib.suppress(OSError, RefusedRequestError):
            server.address.post("/shutdown", {})
        try:
            process.wait(_PATIENCE_S)
        except psutil.TimeoutExpired:
            process.kill()


@contextmanager
def llama_server(
    setup: Setup, model: Path, n_ubatch: int, *, n_ctx: int = N_CTX, fields: Json | None = None
) -> Iterator[Server]:
    """A llama-server on the CPU with as many threads as ours; a warm one. ``fields`` go along with each hole.

    Raises:
        RuntimeError: it did not start.
    """
    program = setup.llama_server
    if program is None:
        raise RuntimeError("There is no llama-server: --llama-server names one.")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(program), "-m", str(model), "--host", "127.0.0.1", "--port", str(port), "-c", str(n_ctx)]
    command += ["-np", "1", "-t", str(processor.default_threads()), "-ub", str(n_ubatch), *setup.llama_server_args]
    command += ["--device", "none", "-ngl", "0", "--offline", "--no-webui"]
    environ = {**os.environ, "LD_LIBRARY_PATH": str(program.parent)}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        name = " ".join(["llama-server", f"-ub {n_ubatch}", *setup.llama_server_args])
        server = Server(name, Address(f"http://127.0.0.1:{port}"), process.pid, ours=False, fields=fields or {})
        try:
            if (code := _wait(server, process)) is not None:
                log.seek(0)
                last = log.read()[-500:].strip().replace("\n", " / ")
                raise RuntimeError(f"{name} ended with code {code}: {last}")
            server.warm_up()
            yield server
        finally:
            process.terminate()
            process.wait()


def _wait(server: Server, process: subprocess.Popen[bytes]) -> int | None:
    """Until a server is ready; its exit code if it ended instead."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return process.returncode
        with contextlib.suppress(OSError, RefusedRequestError):
            server.address.get("/health")
            return None
        time.sleep(0.1)
    raise RuntimeError(f"{server.name} was not ready after {_PATIENCE_S:.0f} s")


Which = Literal["ours", "theirs"]


def in_turn(number: int) -> tuple[Which, Which]:
    """Who is asked first: now one, now the other, so that nobody always finds the caches that the other has filled."""
    return ("ours", "theirs") if number % 2 else ("theirs", "ours")
