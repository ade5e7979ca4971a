"""What code that is tried out may not do: in a process of its own, for what is refused once is refused for good."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lsp_server.testing import guarded


def run(folder: Path, code: str, programs: str = "alone") -> str:
    """What a piece of code prints; the guard's reason if it refused."""
    script = folder / "code.py"
    script.write_text(code, encoding="utf-8")
    arguments = [sys.executable, guarded.__file__, str(folder), programs, str(script)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=folder)
    return done.stdout + done.stderr


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of a user's, with something in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious.txt").write_text("mine", encoding="utf-8")
    return folder


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """The folder where everything is allowed."""
    folder = tmp_path / "inside"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "code",
    [
        "import shutil; shutil.rmtree({folder!r})",
        "import os; os.remove({file!r})",
        "import os; os.unlink({file!r})",
        "import os; os.rename({file!r}, 'here.txt')",
        "import os; os.rename('code.py', {folder!r} + '/x')",
        "import os; os.mkdir({folder!r} + '/x')",
        "open({file!r}, 'w')",
        "open({file!r}, 'a').write('x')",
        "open({file!r}, 'r+')",
        "import os; os.open({file!r}, os.O_WRONLY)",
        "from pathlib import Path; Path({file!r}).write_text('x')",
        "from pathlib import Path; Path({file!r}).unlink()",
        "open('../outside/precious.txt', 'w')",
        "import os; os.symlink({folder!r}, 'link'); open('link/precious.txt', 'w')",
        "import os; os.chmod({file!r}, 0)",
        "import os; os.truncate({file!r}, 0)",
        "import sqlite3; sqlite3.connect({folder!r} + '/x.db')",
        "import subprocess; subprocess.run(['rm', {file!r}])",
        "import os; os.system('rm ' + {file!r})",
    ],
)
def test_nothing_outside_is_changed(outside: Path, inside: Path, code: str) -> None:
    file = outside / "precious.txt"
    said = run(inside, code.format(folder=str(outside), file=str(file)))
    assert "PermissionError: Shardlight" in said
    assert [path.name for path in outside.iterdir()] == ["precious.txt"]
    assert file.read_text(encoding="utf-8") == "mine"
    assert os.access(file, os.R_OK)


def test_what_is_inside_may_be_changed_and_all_may_be_read(outside: Path, inside: Path) -> None:
    code = (
        "import os, shutil, sqlite3, tempfile\n"
        "os.mkdir('a'); open('a/b', 'w').write('x'); os.rename('a/b', 'a/c'); shutil.rmtree('a')\n"
        "sqlite3.connect(':memory:'); sqlite3.connect('x.db'); open(os.devnull, 'w').write('x')\n"
        f"print(open({str(outside / 'precious.txt')!r}).read(), os.listdir({str(outside)!r}))\n"
    )
    assert run(inside, code) == "mine ['precious.txt']\n"


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 80))",
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')",
        "import os; os.kill(os.getppid(), 15)",
        # It would have a session of its own, in which nobody ends it.
        pytest.param("import os; os.forkpty()", marks=pytest.mark.skipif(os.name != "posix", reason="no such call")),
    ],
)
def test_no_other_machine_is_reached_and_no_other_process_ended(inside: Path, code: str) -> None:
    assert "PermissionError: Shardlight" in run(inside, code) or "lets nothing" in run(inside, code)


def test_what_a_test_has_started_it_may_end(inside: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "one.terminate(); print(one.wait() != 0)\n"
    )
    assert run(inside, code, "with-programs") == "True\n"
    started = "import multiprocessing as m\n\nif __name__ == '__main__':\n    m.Process(target=print).start()\n"
    assert "starts no other program" in run(inside, started)


def test_links_and_databases_by_address(outside: Path, inside: Path) -> None:
    code = f"import os; os.symlink({str(outside)!r}, 'link'); os.rename('link', 'other'); os.unlink('other')"
    assert run(inside, code) == ""
    code = f"import sqlite3; sqlite3.connect('file:{outside}/x.db?mode=rwc', uri=True)"
    assert "lets nothing change" in run(inside, code)
    assert run(inside, "import sqlite3; sqlite3.connect('file::memory:?cache=shared', uri=True)") == ""


def test_this_machine_may_be_reached(inside: Path) -> None:
    code = (
        "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname())\nprint('there')\n"
    )
    assert run(inside, code) == "there\n"


def test_programs_may_be_started_where_it_is_said(inside: Path) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(3)'])"
    assert run(inside, code, "with-programs") == "3\n"


def test_modules_get_their_arguments(inside: Path) -> None:
    arguments = [sys.executable, guarded.__file__, str(inside), "alone", "json.tool", "--indent", "1"]
    done = subprocess.run(arguments, input="[1]", capture_output=True, text=True, check=True)
    assert done.stdout == "[\n 1\n]\n"


def test_the_streams_that_it_talks_through_are_not_read(inside: Path) -> None:
    assert "reads none of the streams" in run(inside, "open(1)")
    assert "reads none of the streams" in run(inside, "import os; os.fdopen(0)")
    assert run(inside, "import os; print(os.fdopen(os.dup(1), 'w').fileno() > 2)") == "True\n"
    assert run(inside, "open(1, 'w').write('one')") == "one"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "reaches no other program"),
        ("import socket; socket.socket().bind(('127.0.0.1', 0))", "reaches no other program"),
        ("import socket; socket.socket(socket.AF_UNIX).connect('/run/docker.sock')", "reaches no other program"),
        ("import ctypes; ctypes.CDLL(None).unlink", "calls no foreign library"),
        ("import ctypes; ctypes.CDLL('libc.so.6')", "calls no foreign library"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="event loops of other systems need it")
def test_what_is_sealed_talks_to_nobody_on_this_machine_either(inside: Path, code: str, reason: str) -> None:
    assert reason in run(inside, code, "sealed")


def test_what_is_sealed_still_has_event_loops_and_numpy(inside: Path) -> None:
    code = "import asyncio, ctypes\n\nasync def f():\n    return 3\n\nprint(asyncio.run(f()))\n"
    assert run(inside, code, "sealed") == "3\n"
    assert run(inside, "import numpy; print(numpy.arange(3).sum())", "sealed") == "3\n"


@pytest.mark.skipif(os.name != "posix", reason="no such limit there")
def test_what_is_sealed_writes_no_large_files(inside: Path) -> None:
    code = "file = open('x', 'wb')\nfor _ in range(60): file.write(bytes(1_000_000))\n"
    assert "OSError" in run(inside, code, "sealed")
    assert (inside / "x").stat().st_size <= 50_000_000
