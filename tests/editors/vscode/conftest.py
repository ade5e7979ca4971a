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
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.editors.programs import named
from tests.editors.vscode.browser import launch
from tests.editors.vscode.workbench import QUIET, Workbench, until
from tests.support.ports import free_port

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
# How long a window may take to start.
_START_S = 60.0
_FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def programs() -> dict[str, Path]:
    """The programs that the environment names; without them there is nothing to test with."""
    there = {variable: path for variable, path in _PROGRAMS.items() if path and path.exists()}
    if missing := [f"{variable} ({what})" for variable, what in _VARIABLES.items() if variable not in there]:
        pytest.skip(f"not set, or not there: {', '.join(missing)}")
    return there


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


@dataclass(frozen=True)
class CodeServer:
    """A running code-server that has the extension; each window is a browser of its own."""

    base: Path
    port: int
    chromium: str

    @contextlib.asynccontextmanager
    async def window(self, name: str, *, trusted: bool = True) -> AsyncIterator[Workbench]:
        """A window with a folder of that name."""
        folder, home = self.base / name, self.base / f"browser {name}"
        folder.mkdir(exist_ok=True)
        home.mkdir()
        page = await launch(self.chromium, home)
        try:
            pictures = Path(_PICTURES) if _PICTURES else None
            shown = Workbench(page, folder, self.base / "served", self.base / "user", pictures)
            await page.open(f"http://127.0.0.1:{self.port}/?folder={quote(str(folder))}", *_SIZE)
            await page.until("!!document.querySelector('.monaco-workbench')", _START_S)
            try:
                pid = await shown.another_server(None)
                if trusted:
                    await shown.trust()
                    await shown.another_server(pid)
            except TimeoutError:
                await shown.picture("failed-start")
                raise
            yield shown
        finally:
            await page.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def code_server(
    programs: dict[str, Path], packaged: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CodeServer]:
    """VS Code's server, in a private home, with the extension and stand-ins for others."""
    base = tmp_path_factory.mktemp("vscode")
    served, user, home = base / "served", base / "user", base / "home"
    for one in (served, user / "User", user / "Machine", home, base / "bin"):
        one.mkdir(parents=True)
    (served / "script.json").write_text("{}", encoding="utf-8")
    (user / "User" / "settings.json").write_text(json.dumps(QUIET), encoding="utf-8")
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
    port = free_port()
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
    with (base / "code-server.log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            *command,
            *quiet,
            "--bind-addr",
            f"127.0.0.1:{port}",
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        await _until_healthy(port)
        yield CodeServer(base, port, str(programs["SHARDLIGHT_CHROMIUM"]))
    finally:
        # The process group is ours alone: code-server, its extension hosts, and our servers.
        os.killpg(server.pid, signal.SIGTERM)
        await server.wait()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workbench(code_server: CodeServer) -> AsyncIterator[Workbench]:
    """The window that tests share: a folder that the user trusts, and the extension's server ready."""
    async with code_server.window("größe 1") as shown:
        shown.set()
        yield shown


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
def program(code_server: CodeServer) -> Path:
    """The program `shardlight` on the PATH."""
    return code_server.base / "bin" / "shardlight"


def _write_program(path: Path, served: Path) -> None:
    """What the extension finds as `shardlight` on the PATH; it starts in the user's home."""
    module = [sys.executable, "-m", "tests.editors.vscode.served", str(served)]
    path.write_text(f'#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {shlex.join(module)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


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
    for name in {"workbench", "shop"}.intersection(request.fixturenames):
        if request.node.stash.get(_FAILED, False):
            window: Workbench = request.getfixturevalue(name)
            await window.picture(f"failed-{request.node.name}")
            # What it has left open is not to be in the way of the next.
            with contextlib.suppress(TimeoutError):
                await window.clear()
