"""What tests of every kind may use: folders of their own, the small real model, a tiny one, a real engine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.errors import ModelError
from lsp_server.models.reference import CatalogRef
from lsp_server.models.store import store_from
from lsp_server.settings import sources
from tests.support.engine import RunningEngine, engine_spec, launch, shut_down
from tests.support.tiny import write_tiny_deepseek4

# Shells have programs in the background ignore Ctrl-C, and what these start would as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SMALL_MODEL = "qwen2.5-coder-0.5b"
_MODEL_VARIABLE = "SHARDLIGHT_TEST_MODEL"


@pytest.fixture(scope="session", autouse=True)
def private_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads the user's settings, meets the user's engines or writes where the user would find it.

    Only models are shared: they are large, and tests do not change them.
    """
    models = sources.load().settings.models.directory
    hub = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "huggingface"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(sources.PREFIX) and name != _MODEL_VARIABLE]:
            patch.delenv(name)
        for kind in ("CONFIG", "STATE", "CACHE"):
            patch.setenv(f"XDG_{kind}_HOME", str(tmp_path_factory.mktemp(kind.lower())))
        patch.setenv("HF_HOME", str(hub))
        if models:
            patch.setenv(f"{sources.PREFIX}MODELS__DIRECTORY", models)
        yield


@pytest.fixture(scope="session")
def small_model(private_folders: None) -> Path:
    """The file of the small real model: ``SHARDLIGHT_TEST_MODEL`` if that is set, else the installed one."""
    if named := os.environ.get(_MODEL_VARIABLE):
        path = Path(named)
        if not path.is_file():
            pytest.fail(f"{_MODEL_VARIABLE} names {path}, and there is no such file.")
        return path
    store = store_from(sources.load().settings.models.directory, registry_mirror=False)
    try:
        return store.locate(CatalogRef(store.catalog.get(SMALL_MODEL))).path
    except ModelError as error:
        pytest.fail(f"{error} `make test` fetches the model; {_MODEL_VARIABLE} names a copy of it elsewhere.")


@pytest.fixture(scope="session")
def tiny_deepseek4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of two shards of a DeepSeek-V4 of a few MB, with random weights. Not to be changed."""
    return write_tiny_deepseek4(tmp_path_factory.mktemp("deepseek4"))


@pytest.fixture(scope="session")
def engine(small_model: Path) -> Iterator[RunningEngine]:
    """A real engine process with the small model, shared by all tests of a run."""
    running = asyncio.run(launch(engine_spec(small_model)))
    with running.leased():
        yield running
    asyncio.run(shut_down(running))
