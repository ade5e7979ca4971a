"""Those whose bare speed is compared: each goes back to some tokens, evaluates others, and tells how long that took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, cast

from benchmarks.engine.outcome import Setup
from benchmarks.engine.peers import Server, llama_server, ours

_DRIVER = Path(__file__).with_name("node_llama_cpp.mjs")


class Contender(Protocol):
    """Somebody who evaluates tokens."""

    def ms(self, base: Sequence[int], tokens: Sequence[int], *, one_by_one: bool = False) -> float:
        """Milliseconds to evaluate ``tokens`` after ``base``, all of which has to be there already."""
        ...


class Child:
    """A contender in a process of its own.

    Raises:
        RuntimeError: the process ended, or says what went wrong.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._stdin, self._stdout = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
        self._read()

    def ms(self, base: Sequence[int], tokens: Sequence[int], *, one_by_one: bool = False, rows: int = 1) -> float:
        """See ``Contender``; ``rows``: of so many tokens logits are wanted, which only ours can do."""
        task = {"tokens": list(tokens), "keep": len(base), "one_by_one": one_by_one, "rows": rows}
        self._stdin.write(json.dumps(task) + "\n")
        self._stdin.flush()
        return float(self._read()["ms"])

    def _read(self) -> dict[str, Any]:
        # Libraries that greet on stdout are passed over.
        for line in self._stdout:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer
        raise RuntimeError(f"it ended with code {self._process.wait()}")


class ByServer:
    """A llama-server, which tells its own times."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def ms(self, base: Sequence[int], tokens: Sequence[int], *, one_by_one: bool = False) -> float:
        """See ``Contender``."""
        fields = {"temperature": 0.0, "ignore_eos": True, "cache_prompt": bool(base)}
        n_predict = len(tokens) if one_by_one else 1
        body = {**fields, "prompt": [*base, *tokens[: 1 if one_by_one else None]], "n_predict": n_predict}
        t = self._server.address.post("/completion", body)["timings"]
        if one_by_one:
            # Its clock starts when the first of them is there.
            return float(t["predicted_ms"] / (t["predicted_n"] - 1) * len(tokens))
        if t["prompt_n"] != len(tokens):
            raise RuntimeError(f"evaluated {t['prompt_n']} tokens instead of {len(tokens)}")
        return float(t["prompt_ms"])


def engine_settings(setup: Setup) -> dict[str, Any]:
    """The settings that the engine plans here for the model."""
    with ours(setup.model) as server:
        return server.address.get("/props")["plan"]["settings"]  # type: ignore[no-any-return]


@contextmanager
def in_python(kind: str, setup: Setup, settings: dict[str, Any]) -> Iterator[Child]:
    """Ours, or llama-cpp-python's class (see ``contender_process.KINDS``)."""
    module = "benchmarks.engine.contender_process"
    with _child([sys.executable, "-m", module, kind, str(setup.model), json.dumps(settings)]) as child:
        yield child


@contextmanager
def in_node(setup: Setup, settings: dict[str, Any]) -> Iterator[Contender]:
    """node-llama-cpp."""
    arguments = [str(cast(Path, setup.node_llama_cpp).resolve()), str(setup.model), str(settings["n_threads"])]
    with _child(["node", str(_DRIVER), *arguments, str(settings["n_ctx"])]) as child:
        yield child


@contextmanager
def by_server(setup: Setup) -> Iterator[Contender]:
    """llama-server as it comes."""
    with llama_server(setup, setup.model, 512) as server:
        yield ByServer(server)


@contextmanager
def _child(command: list[str]) -> Iterator[Child]:
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, encoding="utf-8", env=os.environ
        )
        try:
            yield Child(process)
        except RuntimeError as error:
            log.seek(0)
            raise RuntimeError(f"{error}: {log.read()[-500:].strip()}") from error
        finally:
            process.kill()
            process.wait()
