"""The language server and its client on servers that are not ours, with a real model."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from lsp_server.engine import runtime
from lsp_server.errors import BackendKeyError, BackendRejectedError, BackendUnavailableError
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, ScoreRequest, collect
from lsp_server.inference.remote import connect
from lsp_server.inference.remote_spec import RemoteSpec
from lsp_server.inference.roles import RoleBackend
from tests.peers.conftest import FOLDER
from tests.support import peers
from tests.support.editor import Editor, quit_editor, start, vscode
from tests.support.engine import PATIENCE_S
from tests.support.peers import KEY, Peer
from tests.support.ports import free_port
from tools.editors.fetching import NotHereError

pytestmark = pytest.mark.real_model

MEAN = '''def mean(values: list[float]) -> float:
    """Return the arithmetic mean; 0 for no values."""
    if not values:
        return 0.0
    <|>


print(mean([1.0, 2.0]))
'''
AREA = "def area(width: float, height: float) -> float:\n    return width * <|>height\n"
TALK = ChatRequest((Message("user", "Count from 1 to 1000, a number a line."),), 800)
LONG_S = 300.0


def spec(peer: Peer, key: str = KEY) -> RemoteSpec:
    return RemoteSpec("assistant", peer.url, key=key)


@contextlib.asynccontextmanager
async def editor_on(peer: Peer, root: Path, key: str, before: str = "") -> AsyncIterator[Editor]:
    """An editor whose server was told of a server for both roles, and finds no model on this machine."""
    where = {f"SHARDLIGHT_BACKEND__{role}_URL": f"{before}{peer.url}/v1" for role in ("COMPLETION", "ASSISTANT")}
    where |= {f"SHARDLIGHT_BACKEND__{role}_KEY_ENV": "KEY_OF_THE_TEST" for role in ("COMPLETION", "ASSISTANT")}
    nothing = {"SHARDLIGHT_MODELS__DIRECTORY": str(root / "no models"), "XDG_STATE_HOME": str(root / "state")}
    env = {**os.environ, **where, **nothing, "KEY_OF_THE_TEST": key}
    editor = await start(["-m", "lsp_server", "serve"], env)
    editor.patience_s = LONG_S
    await editor.initialize(vscode(), root, {"trusted": True, "status": True})
    try:
        yield editor
    finally:
        await quit_editor(editor)


@pytest_asyncio.fixture
async def editor(peer: Peer, tmp_path: Path) -> AsyncIterator[Editor]:
    async with editor_on(peer, tmp_path, KEY) as editor:
        yield editor


async def test_a_suggestion_and_a_docstring_without_an_engine(editor: Editor, peer: Peer, tmp_path: Path) -> None:
    before = runtime.all_running()
    uri, position = editor.open(tmp_path / "stats.py", MEAN)
    item, *_ = await editor.complete(uri, position)
    assert isinstance(item.insert_text, str)
    editor.type(uri, position, item.insert_text)
    assert "values" in item.insert_text
    ast.parse(editor.texts[uri])

    uri, position = editor.open(tmp_path / "shapes.py", AREA)
    await editor.command("docstring", uri, position)
    (function,) = ast.parse(editor.texts[uri]).body
    assert isinstance(function, ast.FunctionDef)
    documentation = ast.get_docstring(function) or ""
    assert all(part in documentation for part in ("Args:", "width: ", "height: ", "Returns:"))

    told = await editor.request(
        editor.client.workspace_execute_command_async(lsp.ExecuteCommandParams("shardlight.status"))
    )
    for role in (told["completion"], told["assistant"]):
        assert role["model"].endswith(f"gguf at {peer.host}")
        assert role["state"] == "ready"
    assert {state.model.rpartition(" at ")[2] for state in editor.states if state.model} == {peer.host}
    assert editor.questions == []
    assert runtime.all_running() == before


async def test_the_second_address_answers_where_the_first_is_away(peer: Peer, tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    async with editor_on(peer, tmp_path, KEY, before=f"{away},") as editor:
        uri, position = editor.open(tmp_path / "stats.py", MEAN)
        item, *_ = await editor.complete(uri, position)
        assert "values" in str(item.insert_text)
        (said,) = editor.messages()
        assert said.startswith(f"{away} cannot be reached")
        assert said.endswith(f"{peer.host} answers meanwhile.")
        assert any(state.state == "ready" and state.message == said for state in editor.states)


async def test_bug_hints_say_what_they_would_take(editor: Editor, peer: Peer, tmp_path: Path) -> None:
    uri, position = editor.open(tmp_path / "shapes.py", AREA)
    with pytest.raises(JsonRpcException, match="does not tell how likely a text is") as refused:
        await editor.command("findBugs", uri, position)
    assert peer.url in str(refused.value)


async def test_a_wrong_key_is_told_without_the_key(peer: Peer, tmp_path: Path) -> None:
    async with editor_on(peer, tmp_path, "not-the-key") as editor:
        uri, position = editor.open(tmp_path / "shapes.py", AREA)
        with pytest.raises(JsonRpcException, match=r"refuses the key \(401\)") as refused:
            await editor.command("docstring", uri, position)
        for said in (str(refused.value), *editor.messages(), *(state.message for state in editor.states)):
            assert "not-the-key" not in said
        assert peer.url in str(refused.value)
    with pytest.raises(BackendKeyError, match="wants a key"):
        await connect(spec(peer, ""))


async def test_what_is_cancelled_ends_at_the_server(peer: Peer) -> None:
    backend = await connect(spec(peer))
    first = asyncio.Event()

    async def listen() -> None:
        async for _ in backend.chat(TALK):
            first.set()

    task = asyncio.create_task(listen())
    await asyncio.wait_for(first.wait(), LONG_S)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    if peer.name == "llama-server":
        await asyncio.wait_for(peer.idle(), PATIENCE_S)
    answer = await collect(backend.chat(ChatRequest((Message("user", "Say hello."),), 4)))
    assert answer.text
    await backend.aclose()


async def test_what_a_server_cannot_do_is_refused_before_it_is_asked(peer: Peer) -> None:
    backend = await connect(spec(peer))
    with pytest.raises(BackendRejectedError, match="does not tell how likely"):
        backend.score(ScoreRequest("a", "b"))
    await backend.aclose()


async def test_an_answer_follows_a_grammar(peer: Peer) -> None:
    backend = await connect(spec(peer))
    asked = (Message("user", "What is the capital of France?"), Message("assistant", "The capital is `"))
    answer = await collect(backend.chat(ChatRequest(asked, 16, grammar='root ::= "zebra_" [0-9] "`"')))
    assert re.fullmatch(r"zebra_\d`", answer.text)
    await backend.aclose()


async def test_code_with_control_tokens_stays_code(peer: Peer) -> None:
    backend = await connect(spec(peer))
    prefix = 'MARKER = "<|fim_middle|>"\n\n\ndef add(a, b):\n    return a +'
    answer = await collect(backend.infill(InfillRequest(prefix, "\n", 4, stop=("\n",))))
    assert answer.text.strip() == "b"
    await backend.aclose()


async def test_a_server_that_is_killed_in_mid_answer_and_comes_back(small_model: Path) -> None:
    try:
        with peers.llama_server(FOLDER, small_model) as peer:
            wanted = spec(peer)
            backend = RoleBackend(lambda: wanted, lambda _fraction: None)
            answer = backend.chat(TALK)
            await asyncio.wait_for(anext(answer), LONG_S)
            peer.kill()
            with pytest.raises(BackendUnavailableError, match=peer.url):
                async for _ in answer:
                    pass
            with pytest.raises(BackendUnavailableError, match="cannot be reached"):
                await collect(backend.chat(TALK))
        with peers.llama_server(FOLDER, small_model, peer.port):
            again = await collect(backend.chat(ChatRequest((Message("user", "Say hello."),), 4)))
            assert again.text
            await backend.aclose()
    except NotHereError as error:
        pytest.skip(f"llama-server cannot be had here: {error}")
