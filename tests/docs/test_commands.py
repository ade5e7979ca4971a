"""Every command in the documentation: run, or, for a reason that stands here, only held against what takes it."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from lsp_server.cli.main import _parser
from lsp_server.models.catalog import Catalog
from tests.conftest import SMALL_MODEL
from tests.docs.blocks import PAGES, Block, blocks, commands
from tests.support.editor import REPOSITORY
from tests.support.engine import PATIENCE_S
from tests.support.ports import free_port

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Commands that are run without a model, each in a folder of its own.
RUN = frozenset(
    {
        ".venv/bin/python -m benchmarks --list",
        ".venv/bin/towncrier build --draft --version 0.2.0",
        "shardlight engine token",
        "shardlight plan deepseek-v4-flash --hardware rtx3090-80gb",
        "shardlight plan deepseek-v4-flash --hardware rtx3090-80gb --svg plan.svg",
        "shardlight stats",
        "shardlight stats --days 7 --json",
        "shardlight stats --reset",
    }
)
_ENGINE = "shardlight engine run --port 8012 --idle-minutes 0"
_CHAT = """shardlight engine token --header | curl -H @- http://127.0.0.1:8012/v1/chat/completions \
-d '{"messages": [{"role": "user", "content": "Hi"}]}'"""
# Commands that are run beside the engine that one of them starts, and what they then say.
WITH_ENGINE = {
    _ENGINE: "",
    _CHAT: '"choices"',
    "shardlight complete app.py:120:17 --explain": "Window: 120 lines up to the cursor",
    "shardlight doctor": "was running at",
    "shardlight eval HumanEval.jsonl.gz": "asked for  1 problems",
    "shardlight eval mine.jsonl --mode completion --json": '"problems": 1',
    "shardlight plan": "tokens/s answering",
    "shardlight plan --svg plan.svg": "Drawn in plan.svg",
    "shardlight status": "ready",
}

CI = "what CI runs"
DOWNLOADS = "downloads, or needs what is not downloaded"
LONG = "takes minutes, or hours; its parts have tests of their own"
ELSEWHERE = "a program of somebody else's, on another machine"
EDITORS = "needs editors; `make test-editors` is what CI runs"
INSTALLS = "installs into the machine; `make release` tries it in an environment of its own"
CONTAINERS = "needs an engine for containers"

# Commands that are not run, and why. What can be said without running them is checked: see `_held_against`.
NOT_RUN = {
    "make bench": LONG,
    "make bench FULL=1": LONG,
    ".venv/bin/python -m benchmarks --only engine memory": LONG,
    "make setup": CI,
    "make check": CI,
    "make docs": CI,
    "make test": CI,
    "make format": "changes the checkout; `make check` is what CI runs",
    "make demo": "takes a minute; tests/demo goes through it",
    ".venv/bin/pytest tests/unit/tools": CI,
    '.venv/bin/pytest -m "not real_model"': CI,
    ".venv/bin/pytest -k docstring": CI,
    ".venv/bin/python -m mkdocs serve": "stays until it is stopped; tests/docs/test_site.py builds the site",
    ".venv/bin/python -m tools.editors -k helix": EDITORS,
    "SHARDLIGHT_HELIX=hx .venv/bin/pytest tests/editors/helix": EDITORS,
    "SHARDLIGHT_NVIM_012=/path/to/nvim SHARDLIGHT_NVIM_011=/path/to/older/nvim "
    "python -m pytest tests/editors/neovim": EDITORS,
    "cd editors/vscode && npm install && npm run package": EDITORS,
    "npm ci": EDITORS,
    "npm run package": EDITORS,
    "code --install-extension shardlight.vsix": EDITORS,
    "pip install .": INSTALLS,
    "python -m pip install --no-index --find-links wheelhouse shardlight": INSTALLS,
    'CMAKE_ARGS="$(python tools/llama_build.py)" python -m pip wheel --no-binary llama-cpp-python '
    "--wheel-dir wheelhouse .": "compiles llama.cpp for minutes, as `make setup` does",
    "shardlight bench": LONG,
    "shardlight plan ~/models/x-00001-of-00003.gguf --ctx 32768 --json": "the file is an example",
    "shardlight plan hf:org/repo:Q4_K_M": DOWNLOADS,
    "shardlight plan hf:Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:q4_k_m": DOWNLOADS,
    "shardlight models inspect hf:Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:q4_k_m": DOWNLOADS,
    "shardlight models pull qwen2.5-coder-1.5b": DOWNLOADS,
    "shardlight models pull qwen2.5-coder-7b": DOWNLOADS,
    "shardlight models verify qwen2.5-coder-1.5b": DOWNLOADS,
    "shardlight models verify": "reads every byte of the user's models",
    "shardlight models path qwen2.5-coder-7b": DOWNLOADS,
    "shardlight models remove qwen2.5-coder-1.5b": DOWNLOADS,
    "shardlight eval FILE": "FILE is to be put in; tests/unit/cli/test_eval.py runs it",
    "shardlight eval HumanEval.jsonl.gz --model qwen2.5-coder-7b --limit 20": DOWNLOADS,
    "shardlight eval HumanEval.jsonl.gz --samples 10": LONG,
    "cp -r qwen2.5-coder-7b ~/.local/share/shardlight/models/": DOWNLOADS,
    "ssh -N -L 8012:localhost:8012 gpu.example": ELSEWHERE,
    "llama-server --model qwen2.5-coder-7b-instruct-q4_k_m.gguf --parallel 4 --ctx-size 32768 --host 0.0.0.0 "
    '--port 8080 --api-key "$KEY"': ELSEWHERE,
    "llama-server --model flagship-q4_k_m.gguf --rpc 10.0.0.2:50052,10.0.0.3:50052 -ngl 99 --ctx-size 8192 "
    "--host 127.0.0.1 --port 8080": ELSEWHERE,
    "ggml-rpc-server --host 10.0.0.2 --port 50052 --cache": ELSEWHERE,
    "vllm serve Qwen/Qwen2.5-Coder-32B-Instruct --tensor-parallel-size 4 --max-model-len 16384 "
    '--api-key "$KEY"': ELSEWHERE,
    'docker model run hf.co/bartowski/Qwen2.5-Coder-7B-Instruct-GGUF "Say hello."': CONTAINERS,
    "docker desktop enable model-runner --tcp 12434": CONTAINERS,
    "podman build --tag shardlight-engine .": CONTAINERS,
    'podman run --detach --init --name engine --network host --volume "$HOME/models:/models:ro" shardlight-engine '
    "--model qwen2.5-coder-7b": CONTAINERS,
    "podman exec engine shardlight engine token": CONTAINERS,
}


def _shown() -> dict[str, Block]:
    """Every command of every shell block, and where it stands first."""
    found: dict[str, Block] = {}
    for block in blocks():
        if block.language == "sh":
            for command in commands(block):
                found.setdefault(command, block)
    return found


SHOWN = _shown()
_BASH = shutil.which("bash") or "bash"
# Where the code is `like this`, in text.
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def _inline(beginning: str) -> list[tuple[str, str]]:
    """(page, code) of the codes in texts that begin so."""
    found = []
    for page in PAGES:
        text = (REPOSITORY / page).read_text(encoding="utf-8")
        found += [(page, code) for code in _INLINE.findall(text) if code.startswith(beginning)]
    return list(dict.fromkeys(found))


def test_commands_are_found() -> None:
    assert len(SHOWN) > 40
    assert len(_inline("shardlight ")) > 20


@pytest.mark.parametrize("command", [*SHOWN, *sorted({*RUN, *WITH_ENGINE, *NOT_RUN} - {*SHOWN})])
def test_each_is_accounted_for(command: str) -> None:
    assert command in SHOWN, "this row is of a command that no page shows any more: remove it"
    said = [command in RUN, command in WITH_ENGINE, command in NOT_RUN]
    assert sum(said) == 1, f"{SHOWN[command].place} is new: have it run, or say here why it is not"


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.place)
def test_each_block_says_what_it_is(block: Block) -> None:
    assert block.language, "write `sh` behind the three backticks, or `text` for what is no code"


@dataclass(frozen=True)
class Home:
    """A user's home, and what documented addresses stand for there."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    port: int = 8012

    def meant(self, text: str) -> str:
        """A text of the documentation as it is to be here."""
        return text.replace("8012", str(self.port)).replace(".venv/bin/", "")

    def run(self, command: str, place: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command with our programs on the ``PATH``."""
        return subprocess.run(
            [_BASH, "-c", f"set -o pipefail; {self.meant(command)}"],
            cwd=place or self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=4 * PATIENCE_S,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """What a command runs in."""
        own = {f"XDG_{kind}_HOME": str(self.folder / kind.lower()) for kind in ("CONFIG", "CACHE", "STATE")}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        plain = {"HOME": str(self.folder), "PATH": path, "COLUMNS": "200", "NO_PROXY": "*"}
        return {**os.environ, **own, **plain, **self.environ}


@pytest.fixture(scope="module")
def with_engine(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Iterator[Home]:
    """A home with the small model, in which the documented engine runs."""
    folder = tmp_path_factory.mktemp("home")
    (file,) = Catalog.load().get(SMALL_MODEL).files
    installed = folder / "models" / SMALL_MODEL / file.name
    installed.parent.mkdir(parents=True)
    installed.symlink_to(small_model)
    home = Home(folder, {"SHARDLIGHT_MODELS__DIRECTORY": str(folder / "models")}, free_port())
    code = ["def add(a, b):", "    return a + b", ""] * 39 + ["def twice(n):", "    two = 2", "    return add(n, n)"]
    (home.folder / "app.py").write_text("\n".join(code) + "\n", encoding="utf-8")
    problem = {
        "task_id": "test/0",
        "prompt": 'def add(a, b):\n    """Return the sum of a and b."""\n',
        "entry_point": "add",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    }
    (home.folder / "mine.jsonl").write_text(json.dumps(problem) + "\n", encoding="utf-8")
    (home.folder / "HumanEval.jsonl.gz").write_bytes(gzip.compress(json.dumps(problem).encode()))
    with (home.folder / "engine.log").open("w") as log:
        engine = subprocess.Popen(
            shlex.split(home.meant(_ENGINE)), cwd=home.folder, env=home.environment(), stdout=log, stderr=log
        )
    try:
        _wait_until_loaded(home, engine)
        yield home
    finally:
        home.run("shardlight engine stop")
        engine.terminate()
        engine.wait(PATIENCE_S)


def _wait_until_loaded(home: Home, engine: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 2 * PATIENCE_S
    while time.monotonic() < deadline and engine.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(home.meant("http://127.0.0.1:8012/health"), trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    pytest.fail((home.folder / "engine.log").read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", sorted(RUN & SHOWN.keys()))
def test_it_runs(command: str, tmp_path: Path) -> None:
    done = Home(tmp_path).run(command, REPOSITORY if command.startswith(".venv/") else None)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    if "--json" in command:
        json.loads(done.stdout)
    if "--svg" in command:
        assert (tmp_path / "plan.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.real_model
@pytest.mark.parametrize("command", sorted(WITH_ENGINE.keys() & SHOWN.keys() - {_ENGINE}))
def test_it_runs_beside_an_engine(command: str, with_engine: Home) -> None:
    if "curl" in command and not shutil.which("curl"):
        pytest.skip("there is no curl here")

    done = with_engine.run(command)

    assert done.returncode == 0, done.stderr
    assert WITH_ENGINE[command] in done.stdout


@pytest.mark.real_model
def test_the_python_of_the_engines_page_runs(with_engine: Home) -> None:
    (block,) = (block for block in blocks() if block.language == "python" and block.page == "docs/engine.md")
    ask = 'client.completions.create(model="small", prompt="1, 2, 3, ", max_tokens=2)'
    code = f"{with_engine.meant(block.text)}\nprint(len({ask}.choices))\n"
    (with_engine.folder / "client.py").write_text(code, encoding="utf-8")

    done = with_engine.run("python client.py")

    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr


@pytest.mark.parametrize("command", sorted(NOT_RUN.keys() & SHOWN.keys()))
def test_what_is_not_run_could_be(command: str) -> None:
    assert subprocess.run([_BASH, "-n", "-c", command], check=False).returncode == 0

    for words in _programs(command):
        _held_against(words)


@pytest.mark.parametrize(("page", "code"), _inline("shardlight "))
def test_a_command_in_a_text_is_there(page: str, code: str) -> None:
    """Placeholders and dots may stand in it: its words for commands and its options have to be known."""
    _, *words = shlex.split(code.replace("…", ""), comments=True)
    parser = _parser(words)
    for word in words:
        subcommands = _subcommands(parser)
        if word.startswith("--"):
            assert word.partition("=")[0] in _options(parser), f"{page}: {code}"
        elif word in subcommands:
            parser = subcommands[word]
        else:
            assert not subcommands, f"{page}: {code}"


@pytest.mark.parametrize(("page", "code"), [*_inline("python"), *_inline(".venv/bin/"), *_inline("make ")])
def test_a_program_of_ours_in_a_text_is_there(page: str, code: str) -> None:
    _held_against(shlex.split(code.replace("…", "")))


def _programs(command: str) -> Iterator[list[str]]:
    """The words of each program in a command, without variables before it."""
    for part in re.split(r"\s(?:&&|\|)\s", command):
        words = shlex.split(part)
        while re.match(r"[A-Z_0-9]+=", words[0]):
            del words[0]
        yield words


def _held_against(words: list[str]) -> None:
    """What can be said of a command without running it: our parsers know its words, and what it names is there."""
    program, *rest = words
    if program == "shardlight":
        _parser(rest).parse_args(rest)
    elif program == "make":
        targets = [word for word in rest if "=" not in word]
        if targets:
            listed = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
            assert all(re.search(rf"^{target}:", listed, re.MULTILINE) for target in targets)
    elif program.endswith("pytest"):
        _held_against_pytest(rest)
    elif program.startswith((".venv/bin/python", "python")) and rest[:1] == ["-m"]:
        _held_against_module(rest[1], rest[2:])
    elif program.startswith("python") and rest and rest[0].endswith(".py"):
        assert (REPOSITORY / rest[0]).is_file()
    elif program == "npm" and rest[:1] == ["run"]:
        scripts = json.loads((REPOSITORY / "editors/vscode/package.json").read_text(encoding="utf-8"))["scripts"]
        assert rest[1] in scripts


def _held_against_pytest(words: list[str]) -> None:
    assert all((REPOSITORY / word).exists() for word in words if word.startswith("tests/"))
    if "-m" in words:
        options = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
        known = [line.split(":")[0] for line in options["ini_options"]["markers"]]
        assert words[words.index("-m") + 1].removeprefix("not ") in known


def _held_against_module(module: str, words: list[str]) -> None:
    if module == "pytest":
        _held_against_pytest(words)
    if module.split(".")[0] not in ("benchmarks", "tools", "lsp_server"):
        return
    path = REPOSITORY / module.replace(".", "/")
    files = [*path.rglob("*.py")] if path.is_dir() else [path.with_suffix(".py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert all(f'"{word}"' in text for word in words if word.startswith("--")), f"{module}: {words}"


def _subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _options(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}
