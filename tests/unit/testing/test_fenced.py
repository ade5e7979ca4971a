"""What a program may do within the fence; on Linux, where the kernel has Landlock and lets namespaces be made."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from lsp_server.testing import fenced
from lsp_server.testing.processes import output_of

linux = pytest.mark.skipif(
    sys.platform != "linux" or ctypes.CDLL(None).syscall(444, None, 0, 1) < 1, reason="the kernel has no Landlock"
)
no_namespaces = sys.platform != "linux" or subprocess.run(["/usr/bin/unshare", "-rn", "true"], check=False).returncode


async def run(code: str, folder: Path, *writes: Path) -> str:
    """What Python says to some code that may change these folders."""
    said = await output_of([sys.executable, "-c", code], cwd=folder, timeout_s=60, memory_mb=2000, writes=writes)
    assert said is not None
    return said.strip()


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    folder.mkdir()
    return folder


CHANGES = {
    "made": "open({!r} + '/new', 'w')",
    "changed": "open({!r} + '/old', 'a')",
    "emptied": "import os; os.truncate({!r} + '/old', 0)",
    "removed": "import os; os.remove({!r} + '/old')",
    "renamed": "import os; os.rename({!r} + '/old', {!r} + '/other')",
    "made a folder": "import os; os.mkdir({!r} + '/folder')",
    "linked": "import os; os.symlink('/', {!r} + '/link')",
    "removed by a child": "import subprocess; subprocess.run(['/bin/rm', {!r} + '/old'], check=True)",
}


@linux
@pytest.mark.parametrize("how", CHANGES)
async def test_nothing_is_changed_outside(tmp_path: Path, inside: Path, how: str) -> None:
    outside = tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir(exist_ok=True)
        (folder / "old").write_text("old")
    before = sorted(outside.iterdir())

    said = await run(CHANGES[how].replace("{!r}", repr(str(outside))), inside, inside)

    assert "Permission denied" in said or "CalledProcessError" in said
    assert sorted(outside.iterdir()) == before
    assert (outside / "old").read_text() == "old"
    # The same is done where it may be.
    assert await run(CHANGES[how].replace("{!r}", repr(str(inside))), inside, inside) == ""


@linux
async def test_all_may_be_read_and_devices_written_to(tmp_path: Path, inside: Path) -> None:
    (tmp_path / "old").write_text("old")
    code = f"print(open({str(tmp_path / 'old')!r}).read()); print(1, file=open('/dev/null', 'w'))"
    assert await run(code, inside, inside) == "old"


@linux
@pytest.mark.skipif(bool(no_namespaces), reason="namespaces may not be made")
async def test_there_is_no_network_but_its_own_loopback(inside: Path) -> None:
    code = """
import socket
served = socket.create_server(("127.0.0.1", 0))
socket.create_connection(served.getsockname(), timeout=5)
print("served")
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    print(error)
"""
    said = await run(code, inside, inside)
    assert said.splitlines()[0] == "served"
    assert "unreachable" in said


async def test_without_folders_there_is_no_fence(tmp_path: Path) -> None:
    assert await run(f"open({str(tmp_path / 'new')!r}, 'w')", tmp_path) == ""
    assert (tmp_path / "new").exists()


@linux
def test_a_kernel_that_cannot_is_no_obstacle(inside: Path, tmp_path: Path) -> None:
    # As it is where calls are filtered: each of them is answered with "no such call".
    text = Path(fenced.__file__).read_text(encoding="utf-8")
    other = tmp_path / "fenced.py"
    other.write_text(text.replace("444, 445, 446", "9991, 9992, 9993").replace("_NEW_USER | _NEW_NET", "1 << 40"))
    program = [sys.executable, "-c", "print(1)"]
    command = [sys.executable, "-I", str(other), "-1", "60", "--write", str(inside), "--", *program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1\n"
