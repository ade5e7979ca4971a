"""Starting, settings, going; on the scripted model."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from lsprotocol import types as lsp

from lsp_server import __version__
from tests.e2e.conftest import Connect
from tests.support.editor import REPOSITORY, Editor, minimal, model_state, neovim, vscode
from tests.support.engine import PATIENCE_S
from tests.support.time import until
from tests.support.wire import OPENING, Wire

EDITORS = {"vscode": vscode, "neovim": neovim, "minimal": minimal}


@pytest.mark.parametrize(
    ("editor_name", "encoding"), [("vscode", "utf-16"), ("neovim", "utf-8"), ("minimal", "utf-16")]
)
async def test_honest_capabilities(editor_name: str, encoding: str, connect: Connect) -> None:
    editor = await connect(capabilities=EDITORS[editor_name]())
    found = editor.capabilities
    assert found.position_encoding == encoding
    assert isinstance(found.text_document_sync, lsp.TextDocumentSyncOptions)
    assert found.text_document_sync.change is lsp.TextDocumentSyncKind.Incremental
    assert found.inline_completion_provider == lsp.InlineCompletionOptions()
    assert found.completion_provider is not None
    assert isinstance(found.code_action_provider, lsp.CodeActionOptions)
    assert found.code_action_provider.resolve_provider
    assert found.execute_command_provider is not None
    assert set(found.execute_command_provider.commands) == {
        f"shardlight.{name}"
        for name in (
            *("docstring", "classDocstring", "missingDocstrings", "addTypes", "unitTests", "simplify", "fromComment"),
            *("classTests", "fileTests", "optimise", "toAsync", "split", "port"),
            *("renameVariables", "edit", "extractFunction", "fix", "debug", "findBugsInFile", "dismissHint"),
            *("explain", "findBugs"),
            *("show", "statistics", "status"),
        )
    }
    assert isinstance(found.diagnostic_provider, lsp.DiagnosticOptions)
    # What nobody implements is not promised.
    for absent in ("hover_provider", "definition_provider", "document_formatting_provider"):
        assert getattr(found, absent) is None


async def test_utf32_where_the_client_wants_it(connect: Connect) -> None:
    capabilities = vscode()
    capabilities.general = lsp.GeneralClientCapabilities(position_encodings=[lsp.PositionEncodingKind.Utf32])
    editor = await connect(capabilities=capabilities)
    assert editor.capabilities.position_encoding == "utf-32"


async def test_status(connect: Connect) -> None:
    editor = await connect({"infills": ["1"]}, options={"trusted": True})
    params = lsp.ExecuteCommandParams("shardlight.status")
    before = await editor.request(editor.client.workspace_execute_command_async(params))
    assert before["version"] == __version__
    assert before["trusted"] is True
    assert before["positionEncoding"] == "utf-16"
    assert before["completion"] == {"model": "scripted", "state": "ready"}
    assert before["lastAnswer"] is None
    await editor.complete(*editor.open("untitled:Untitled-1", "x = <|>"))
    after = await editor.request(editor.client.workspace_execute_command_async(params))
    assert after["lastAnswer"]["predictedTokens"] == 1


async def test_states_are_told_to_those_who_ask(connect: Connect) -> None:
    editor = await connect({"chats": [" it\n\n"], "infills": ["1"]}, options={"status": True})
    await until(lambda: bool(editor.states))
    await editor.complete(*editor.open("untitled:Untitled-1", "x = <|>"))
    await until(lambda: editor.states[-1].state == "ready")
    assert [(one.state, one.model) for one in editor.states][:2] == [("idle", ""), ("ready", "scripted")]
    uri, position = editor.open("untitled:Untitled-2", "def f<|>():\n    return 1\n")
    argument = {"uri": uri, "position": {"line": position.line, "character": position.character}}
    explain = lsp.ExecuteCommandParams("shardlight.explain", [argument])
    await editor.request(editor.client.workspace_execute_command_async(explain))
    await until(lambda: editor.states[-1].state == "ready")
    assert ("busy", "Explain f") in [(one.state, one.message) for one in editor.states]

    silent = await connect({"infills": ["1"]})
    await silent.complete(*silent.open("untitled:Untitled-1", "x = <|>"))
    assert silent.states == []


@pytest.mark.parametrize("options", [None, {"trusted": "yes"}, {"trusted": 1}])
async def test_only_a_plain_yes_is_trust(options: dict[str, Any] | None, connect: Connect) -> None:
    editor = await connect(options=options)
    params = lsp.ExecuteCommandParams("shardlight.status")
    assert (await editor.request(editor.client.workspace_execute_command_async(params)))["trusted"] is False


async def test_configuration_is_asked_for_and_followed(connect: Connect) -> None:
    editor = await connect({"infills": ["1"]}, settings={"completion": {"enabled": False}})
    uri, position = editor.open("untitled:Untitled-1", "x = <|>")
    await completions(editor, uri, position, come=False)
    assert set(editor.registered) <= {lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES}
    assert lsp.WORKSPACE_DID_CHANGE_CONFIGURATION in editor.registered
    editor.client.set_configuration({"shardlight": {"completion": {"enabled": True}}})
    editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({}))
    await completions(editor, uri, position, come=True)


async def test_settings_pushed_by_a_client_that_cannot_be_asked(connect: Connect) -> None:
    editor = await connect(
        {"infills": ["1"]}, capabilities=minimal(), options={"settings": {"completion": {"enabled": False}}}
    )
    uri, position = editor.open("untitled:Untitled-1", "x = <|>")
    assert await editor.complete(uri, position) == []
    settings = {"shardlight": {"completion": {"enabled": True}}}
    editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(settings))
    await completions(editor, uri, position, come=True)


async def completions(editor: Editor, uri: str, position: lsp.Position, *, come: bool) -> None:
    """Wait until completions come, or come no more."""

    async def poll() -> None:
        while bool(await editor.complete(uri, position)) is not come:  # noqa: ASYNC110 - as in `until`
            await asyncio.sleep(0.01)

    await asyncio.wait_for(poll(), PATIENCE_S)


async def test_a_language_may_be_switched_off(connect: Connect) -> None:
    settings = {"completion": {"disabled_languages": ["markdown"]}}
    editor = await connect({"infills": ["1"]}, options={"settings": settings})
    assert await editor.complete(*editor.open("untitled:a.py", "x = <|>"))
    assert await editor.complete(*editor.open("untitled:a.md", "x = <|>", "markdown")) == []


async def test_wrong_settings_are_told_once_and_defaults_are_used(connect: Connect) -> None:
    wrong = {"completion": {"max_tokens": "many", "max_tokns": 3}, "engine": 7}
    editor = await connect({"infills": ["1"]}, settings=wrong)
    await until(lambda: len(editor.messages()) >= 3)
    assert await editor.complete(*editor.open("untitled:Untitled-1", "x = <|>"))
    editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({}))
    editor.client.set_configuration({"shardlight": {**wrong, "extra": 1}})
    editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({}))
    await until(lambda: any("Unknown setting extra" in message for message in editor.messages()))
    messages = sorted(editor.messages())
    assert len(messages) == 4
    assert "Unknown setting completion.max_tokns. Did you mean completion.max_tokens?" in messages
    assert "completion.max_tokens must be a whole number, not 'many'. Using the default, 96." in messages
    assert "engine must be a group of settings; ignored." in messages


async def test_folders_come_and_go(connect: Connect, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "shapes.py").write_text("def area(): ...\n", encoding="utf-8")
    editor = await connect({"infills": ["1"]})
    added = lsp.WorkspaceFolder(other.as_uri(), "other")
    removed = lsp.WorkspaceFolder(root.as_uri(), root.name)
    editor.client.workspace_did_change_workspace_folders(
        lsp.DidChangeWorkspaceFoldersParams(lsp.WorkspaceFoldersChangeEvent(added=[added], removed=[removed]))
    )
    assert await editor.complete(*editor.open(other / "a.py", "import shapes\nx = <|>"))


def frame(message: dict[str, Any]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def frames(output: bytes) -> list[Any]:
    """The messages of an output; fails if there is anything else in it."""
    found = []
    while output:
        head, separator, rest = output.partition(b"\r\n\r\n")
        assert separator, f"not a frame: {output[:80]!r}"
        headers = dict(line.split(": ", 1) for line in head.decode("ascii").split("\r\n"))
        assert set(headers) <= {"Content-Length", "Content-Type"}
        length = int(headers["Content-Length"])
        found.append(json.loads(rest[:length]))
        output = rest[length:]
    return found


INITIALIZE = frame(
    {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}}
)
INITIALIZED = frame({"method": "initialized", "params": {}})
SHUTDOWN = frame({"id": 2, "method": "shutdown"})
EXIT = frame({"method": "exit"})


async def served(
    *messages: bytes, command: tuple[str, ...] = ("serve",), close: bool = False
) -> tuple[int, list[Any], str]:
    """Exit code, messages and log of ``shardlight serve`` after it was sent some bytes; its input may stay open."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "lsp_server", *command),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        process.stdin.write(b"".join(messages))
        if close:
            process.stdin.close()
        both = asyncio.gather(process.stdout.read(), process.stderr.read())
        output, log = await asyncio.wait_for(both, PATIENCE_S)
        return await asyncio.wait_for(process.wait(), PATIENCE_S), frames(output), log.decode()
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("command", [("serve",), ("serve", "--stdio")])
async def test_a_session_is_frames_and_nothing_else_and_ends_well(command: tuple[str, ...]) -> None:
    code, messages, log = await served(INITIALIZE, INITIALIZED, SHUTDOWN, EXIT, command=command)
    assert [message.get("id") for message in messages] == [1, 2]
    assert messages[0]["result"]["serverInfo"] == {"name": "shardlight", "version": __version__}
    assert code == 0
    assert "Traceback" not in log


async def test_an_editor_that_died_leaves_no_server_behind() -> None:
    _, messages, log = await served(INITIALIZE, INITIALIZED, close=True)
    assert [message.get("id") for message in messages] == [1]
    assert "Traceback" not in log


@pytest.mark.skipif(sys.platform == "win32", reason="an input that somebody else keeps open is made as Unix has it")
async def test_an_editor_that_died_leaves_no_server_behind_though_its_terminal_lives() -> None:
    """A child of the editor's keeps the server's input open; only `processId` tells that the editor is gone."""
    server = (
        "from lsp_server.server import parent\nfrom lsp_server.cli.main import main\n"
        "parent.LOOK_S = 0.05\nraise SystemExit(main(['serve']))\n"
    )
    editor = (
        "import json, os, subprocess, sys\n"
        "reads, writes = os.pipe()\n"
        f"server = subprocess.Popen([sys.executable, '-c', {server!r}], stdin=reads, stdout=subprocess.PIPE)\n"
        "terminal = subprocess.Popen(['sleep', '60'], pass_fds=[writes], stdout=subprocess.DEVNULL)\n"
        "params = {'processId': os.getpid(), 'rootUri': None, 'capabilities': {}}\n"
        "body = json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'initialize', 'params': params}).encode()\n"
        "os.write(writes, b'Content-Length: %d\\r\\n\\r\\n' % len(body) + body)\n"
        "server.stdout.readline()\n"
        "print(server.pid, terminal.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", editor, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    said = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
    of_server, terminal = (psutil.Process(int(pid)) for pid in said.split())
    try:
        await asyncio.to_thread(of_server.wait, PATIENCE_S)
        assert terminal.is_running()
    finally:
        terminal.kill()


async def test_initialize_is_answered_before_anything_is_loaded() -> None:
    loaded = (
        "import sys\nfrom lsp_server.cli.main import main\ncode = main(['serve'])\n"
        "sys.stderr.write(' '.join(sys.modules))\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", loaded),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, log = await asyncio.wait_for(process.communicate(INITIALIZE + INITIALIZED + SHUTDOWN + EXIT), PATIENCE_S)
    modules = set(log.decode().split())
    assert "lsp_server.server.app" in modules
    assert modules.isdisjoint({"llama_cpp", "httpx", "huggingface_hub", "rich", "lsp_server.models.store"})


async def test_the_model_is_not_asked_for_anything_by_opening_a_file(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]})
    editor.open(root / "a.py", "x = <|>")
    assert (await model_state(editor)).begun == 0


async def test_what_was_said_is_not_kept(connect: Connect) -> None:
    editor = await connect({"infills": ["1"]})
    uri, position = editor.open("untitled:Untitled-1", "x = <|>")
    before = (await model_state(editor)).kept
    for _ in range(50):
        position = editor.type(uri, position, "1")
    assert await editor.complete(uri, position) is not None
    assert (await model_state(editor)).kept <= before + 2


async def settings_wanted(wire: Wire) -> int | str:
    """Wait until the server asks for the settings; that request's id."""
    while (message := await wire.message()).get("method") != "workspace/configuration":
        pass
    number: int | str = message["id"]
    return number


async def opened_unsettled(wire: Wire) -> int | str:
    """A document is open, and a suggestion asked for as request 2, before the settings are told; their request's id."""
    wire.ask(1, "initialize", {**OPENING, "capabilities": {"workspace": {"configuration": True}}})
    await wire.answer(1)
    wire.tell("initialized", {})
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "x = "}
    wire.tell("textDocument/didOpen", {"textDocument": document})
    place = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 4}}
    wire.ask(2, "textDocument/inlineCompletion", {**place, "context": {"triggerKind": 2}})
    return await settings_wanted(wire)


async def test_no_model_is_taken_before_the_settings_say_which(wire: Wire) -> None:
    number = await opened_unsettled(wire)
    wire.ask(3, "test/state", {})
    assert (await wire.answer(3))["result"]["wanted"] == []

    wire.reply(number, [{"models": {"completion": "somebody's"}}])
    assert (await wire.answer(2))["result"]["items"]
    wire.ask(4, "test/state", {})
    assert (await wire.answer(4))["result"]["wanted"] == ["somebody's"]


async def test_a_client_that_never_tells_its_settings_gets_suggestions(wire: Wire) -> None:
    await opened_unsettled(wire)
    assert (await wire.answer(2))["result"]["items"]


async def test_a_session_ends_well_though_it_has_hardly_begun(wire: Wire) -> None:
    """The settings are asked for, and never told."""
    can = {"workspace": {"configuration": True}}
    wire.ask(1, "initialize", {"processId": None, "rootUri": None, "capabilities": can})
    await wire.answer(1)
    wire.tell("initialized", {})
    await settings_wanted(wire)
    wire.ask(2, "shutdown")
    assert "error" not in await wire.answer(2)
