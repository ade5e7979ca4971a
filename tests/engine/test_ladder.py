"""Loads that fail for real, in real processes, and what is loaded instead."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.engine.trial import Rung, proven_settings, simulated
from lsp_server.errors import ModelLoadError
from tests.support.engine import engine_spec, launch, shut_down
from tests.support.loads import settings

pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(sys.platform != "linux", reason="limits of memory and signals are set as Linux has them"),
]

# Between what the small model takes with a context of 16,384 tokens and with one of 32,768, twice each.
LIMIT_MIB = 850
# Not even the interpreter and the library fit beside the cache of the smallest context.
TOO_LITTLE_MIB = 200
SMALL = settings(n_ctx=512, n_ubatch=64, n_contexts=2)

Python = Callable[[str], None]


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Python:
    """Puts a shell script before the interpreter of every process that is started from here."""

    def put(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f'#!/bin/sh\n{script}\nexec {shlex.quote(real)} "$@"\n', "utf-8")
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    real = sys.executable
    return put


def limit(mib: int) -> str:
    """Allows a process, and those that it starts, so much memory of their own; what is mapped from files is free."""
    return f"ulimit -d {mib * 1024}; export OPENBLAS_NUM_THREADS=1"


async def test_an_engine_that_lacks_memory_has_a_smaller_context_and_says_so(small_model: Path, python: Python) -> None:
    python(limit(LIMIT_MIB))

    running = await launch(replace(engine_spec(small_model, n_ctx=32768), n_threads=2))

    async with running.client() as client:
        props = (await client.get("/props")).json()
        # Both contexts are there: the second one is made now.
        body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
        answer = await client.post("/v1/chat/completions", json=body)
    await shut_down(running)
    n_ctx = props["default_generation_settings"]["n_ctx"]
    assert 2048 <= n_ctx < 32768
    assert props["plan"]["settings"]["n_ctx"] == n_ctx
    assert any("half of the context" in step for step in props["plan"]["steps"])
    assert all(step.startswith("There was not enough memory to load") for step in props["plan"]["steps"])
    assert answer.status_code == 200


async def test_an_engine_that_was_short_of_memory_asks_for_all_of_it_again(small_model: Path, python: Python) -> None:
    python(limit(LIMIT_MIB))
    spec = replace(engine_spec(small_model, n_ctx=32767), n_threads=2)
    first = await launch(spec)
    async with first.client() as client:
        assert (await client.get("/props")).json()["plan"]["steps"]
    await shut_down(first)
    python("")

    again = await launch(spec)

    async with again.client() as client:
        plan = (await client.get("/props")).json()["plan"]
    await shut_down(again)
    assert plan["steps"] == []
    assert plan["settings"]["n_ctx"] == 32767


def test_where_nothing_fits_the_end_is_an_error_and_no_loop(small_model: Path, tmp_path: Path, python: Python) -> None:
    told: list[str] = []
    python(limit(TOO_LITTLE_MIB))

    with pytest.raises(ModelLoadError, match="not even with the smallest context") as failed:
        proven_settings(
            small_model,
            settings(n_ctx=32768, n_contexts=2),
            "build",
            on_step=told.append,
            memory_file=tmp_path / "trials.json",
        )

    assert small_model.name in failed.value.message
    assert [text.split(" Trying ")[1] for text in told] == [
        "without rearranged weights.",
        "without half of the context.",
        "without all but 2,048 tokens of context.",
    ]


def test_weights_that_do_not_fit_lack_memory_and_are_not_refused(
    small_model: Path, tmp_path: Path, python: Python
) -> None:
    told: list[str] = []
    python(limit(TOO_LITTLE_MIB))
    in_memory = settings(n_ctx=4096, load_mode="none", use_extra_bufts=False)

    with pytest.raises(ModelLoadError, match="not even with the smallest context"):
        proven_settings(small_model, in_memory, "build", on_step=told.append, memory_file=tmp_path / "trials.json")

    assert len(told) == 2
    assert all(text.startswith("There was not enough memory") for text in told)


def test_settings_that_crash_are_left_for_the_next_rung(small_model: Path, tmp_path: Path, python: Python) -> None:
    told: list[str] = []
    python("""case "$*" in *'"use_extra_bufts": true'*) kill -SEGV $$ ;; esac""")

    rung = proven_settings(small_model, SMALL, "build", on_step=told.append, memory_file=tmp_path / "trials.json")

    assert rung == Rung(replace(SMALL, use_extra_bufts=False), ("rearranged weights",))
    assert told == [f"Loading {small_model.name} crashed (SIGSEGV). Trying without rearranged weights."]


def test_settings_that_always_crash_are_an_error(small_model: Path, tmp_path: Path, python: Python) -> None:
    python("echo Illegal instruction >&2; kill -ILL $$")

    with pytest.raises(ModelLoadError, match=r"SIGILL.*Illegal instruction"):
        proven_settings(small_model, SMALL, "build", memory_file=tmp_path / "trials.json")


def test_a_process_that_the_system_kills_lacked_memory(small_model: Path, tmp_path: Path, python: Python) -> None:
    told: list[str] = []
    python("""case "$*" in *'"n_ctx": 4096'*) kill -KILL $$ ;; esac""")

    rung = proven_settings(
        small_model,
        settings(n_ctx=4096, n_ubatch=64, use_extra_bufts=False),
        "build",
        on_step=told.append,
        memory_file=tmp_path / "trials.json",
    )

    assert rung.settings.n_ctx == 2048
    assert told == [f"There was not enough memory to load {small_model.name}. Trying without half of the context."]


def test_sizes_that_cannot_be_asked_for_are_done_without(small_model: Path, tmp_path: Path, python: Python) -> None:
    python("""case "$*" in *--simulate*) kill -SEGV $$ ;; esac""")

    assert simulated(small_model, SMALL, "build", memory_file=tmp_path / "trials.json") is None
