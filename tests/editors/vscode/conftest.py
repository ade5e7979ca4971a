"""One VS Code for all tests of the extension: the packaged extension, a private home, the real server, no model.

Starting it takes ten seconds, so tests share it, and each brings a file and a script of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.editors.vscode.browser import launch
from tests.editors.vscode.workbench import QUIET, Workbench, named, until

ROOT = Path(__file__).resolve().parents[3]
EXTENSION = ROOT / "editors" / "vscode"
_VARIABLES = {
    "SHARDLIGHT_CODE_SERVER": "code-server 4.139 or newer (from npm)",
    "SHARDLIGHT_NODE": "the folder of Node.js 24",
    "SHARDLIGHT_CHROMIUM": "Chromium",
}
# Read before the fixtures of all tests take every variable of ours away.
_PROGRAMS = {variable: named(variable) for variable in _VARIABLES}
_PICTURES = os.environ.get("SHARDLIGHT_SCREENSHOTS")
# Nothing of VS Code's is to look for a marketplace.
_NO_GALLERY = '{"serviceUrl": "http://127.0.0.1:9/none", "itemUrl": "http://127.0.0.1:9/none"}'
_SIZE = (1280, 800)
_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def programs() -> dict[str, Path]:
    """The programs that the environment names; without them there is nothing to test with."""
    if missing := [f"{variable} ({_VARIABLES[variable]})" for variable, path in _PROGRAMS.items() if path is None]:
        pytest.skip(f"not set, or not there: {', '.join(missing)}")
    return {variable: path for variable, path in _PROGRAMS.items() if path is not None}


@pytest.fixture(scope="session")
def packaged(programs: dict[str, Path]) -> Path:
    """The extension as users get it, packaged anew if its sources are newer."""
    vsix = EXTENSION / "shardlight.vsix"
    sources = [*EXTENSION.glob("*.*"), *EXTENSION.glob("src/*"), *EXTENSION.glob("media/*")]
    newest = max(path.stat().st_mtime for path in sources if path != vsix)
    if not vsix.exists() or vsix.stat().st_mtime < newest:
        if not (EXTENSION / "node_modules").exists():
            pytest.skip("the extension's tools are not installed: run `npm ci` in editors/vscode")
        env = {**os.environ, "PATH": f"{programs['SHARDLIGHT_NODE']}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(["npm", "run", "package"], cwd=EXTENSION, env=env, capture_output=True, text=True)  # noqa: S607
        assert done.returncode == 0, done.stdout + done.stderr
    return vsix


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workbench(
    programs: dict[str, Path], packaged: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Workbench]:
    """VS Code with a folder open, and the extension's server ready."""
    base = tmp_path_factory.mktemp("vscode")
    folder, served, user, home = base / "größe 1", base / "served", base / "user", base / "home"
    for one in (folder, served, user, home, base / "bin"):
        one.mkdir()
    (served / "script.json").write_text("{}", encoding="utf-8")
    _write_program(base / "bin" / "shardlight", served)
    # VS Code asks the user's login shell for the environment of extensions, and that makes a PATH of its own.
    (home / ".profile").write_text(f'PATH={shlex.quote(str(base / "bin"))}:"$PATH"\n', encoding="utf-8")
    env = {
        **os.environ,
        "HOME": str(home),
        "EXTENSIONS_GALLERY": _NO_GALLERY,
        # Models that are here are not to be found.
        "HF_HOME": str(base / "hub"),
        "PATH": os.pathsep.join([str(programs["SHARDLIGHT_NODE"]), os.environ["PATH"]]),
    }
    shared = [
        "--config",
        str(base / "config.yaml"),
        "--user-data-dir",
        str(user),
        "--extensions-dir",
        str(base / "ext"),
    ]
    command = [str(programs["SHARDLIGHT_CODE_SERVER"]), *shared]
    port = _free_port()
    extensions = [str(packaged), str(_symbols(base / "symbols.vsix"))]
    extensions.append(str(_python(base / "python.vsix", base / "env" / "bin" / "python")))
    installing = await asyncio.create_subprocess_exec(
        *command,
        *(word for one in extensions for word in ("--install-extension", one)),
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _, errors = await installing.communicate()
    assert installing.returncode == 0, errors.decode()
    quiet = ["--auth", "none", "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"]
    serving = [*quiet, "--disable-workspace-trust", "--bind-addr", f"127.0.0.1:{port}", str(folder)]
    with (base / "code-server.log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            *command, *serving, env=env, stdout=log, stderr=log, start_new_session=True
        )
    page = await launch(str(programs["SHARDLIGHT_CHROMIUM"]), home)
    try:
        shown = Workbench(page, folder, served, user, Path(_PICTURES) if _PICTURES else None)
        shown.set()
        shown.user_settings().parent.mkdir(parents=True, exist_ok=True)
        shown.user_settings().write_text(json.dumps(QUIET), encoding="utf-8")
        await _until_healthy(port)
        await page.open(f"http://127.0.0.1:{port}/?folder={folder}", *_SIZE)
        await page.until("!!document.querySelector('.monaco-workbench')", 60)
        try:
            await shown.another_server(None)
        except TimeoutError:
            await shown.picture("failed-start")
            raise
        yield shown
    finally:
        await page.close()
        # The process group is ours alone: code-server, its extension host, and our server.
        os.killpg(server.pid, signal.SIGTERM)
        await server.wait()


def _python(path: Path, executable: Path) -> Path:
    """An extension with the part of ms-python.python that is used: an environment is active once it is there."""
    code = f"""
        const fs = require("fs"), vscode = require("vscode"), path = {json.dumps(str(executable))};
        exports.activate = () => ({{ environments: {{
          getActiveEnvironmentPath: () => ({{ path }}),
          resolveEnvironment: async env => fs.existsSync(env.path)
            ? {{ executable: {{ uri: vscode.Uri.file(env.path) }} }} : undefined,
        }} }});
    """
    return _extension(path, "ms-python", "python", code)


def _symbols(path: Path) -> Path:
    """An extension that knows the functions of a Python file, as one for the language does."""
    code = """
        const vscode = require("vscode");
        exports.activate = () => vscode.languages.registerDocumentSymbolProvider("python", {
          provideDocumentSymbols: document => [...document.getText().matchAll(/^def (\\w+)/gm)].map(found => {
            const name = document.positionAt(found.index + 4);
            const range = new vscode.Range(name, name.translate(0, found[1].length));
            return new vscode.DocumentSymbol(found[1], "", vscode.SymbolKind.Function, range, range);
          }),
        });
    """
    return _extension(path, "test", "symbols", code)


def _extension(path: Path, publisher: str, name: str, code: str) -> Path:
    about = {"publisher": publisher, "name": name, "version": "0.0.1", "engines": {"vscode": "^1.91.0"}}
    started = {"main": "./main.js", "activationEvents": ["onLanguage:python"]}
    with zipfile.ZipFile(path, "w") as vsix:
        vsix.writestr("extension/package.json", json.dumps(about | started))
        vsix.writestr("extension/main.js", code)
    return path


@pytest.fixture
def program(workbench: Workbench) -> Path:
    """The program `shardlight` on the PATH."""
    return workbench.served.parent / "bin" / "shardlight"


def _write_program(path: Path, served: Path) -> None:
    """What the extension finds as `shardlight` on the PATH; it starts in the user's home."""
    module = [sys.executable, "-m", "tests.editors.vscode.served", str(served)]
    path.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {shlex.join(module)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def _until_healthy(port: int) -> None:
    async def healthy() -> bool:
        try:
            await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/healthz", timeout=5)
        except (urllib.error.URLError, OSError):
            return False
        return True

    await until(healthy, lambda: "code-server does not answer")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes that a test has failed, for the picture of it."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def pictured(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A picture of what a failed test has left."""
    yield
    if request.node.stash.get(_FAILED, False) and "workbench" in request.fixturenames:
        workbench: Workbench = request.getfixturevalue("workbench")
        await workbench.picture(f"failed-{request.node.name}")
        # What it has left open is not to be in the way of the next.
        with contextlib.suppress(TimeoutError):
            await workbench.clear()
