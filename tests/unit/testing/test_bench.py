from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from lsp_server.context.workspace import Workspace
from lsp_server.testing import bench as bench_module
from lsp_server.testing import runners
from lsp_server.testing.bench import ProjectBench
from lsp_server.testing.reports import TestRun as Run
from lsp_server.testing.sites import test_site as site_of
from tests.support.links import go_round

CALC = "def add(a, b):\n    return a + b\n"


@pytest.fixture(autouse=True)
def calc(root: Path) -> None:
    """A workspace with one module."""
    (root / "calc.py").write_text(CALC, encoding="utf-8")


class Bench:
    """A bench for ``test_calc.py`` that takes a source and runs all of its tests."""

    def __init__(self, root: Path, *, trusted: bool = True, timeout_s: int = 60, memory_mb: int = 4096) -> None:
        site = site_of(root / "calc.py", "python", Workspace((root,), lambda _path: None))
        assert site is not None
        self.site = site
        self.bench = ProjectBench(site, trusted=trusted, timeout_s=timeout_s, memory_mb=memory_mb)

    async def run(self, source: str, more: Mapping[str, str] | None = None) -> Run:
        root = self.site.project.root
        files = {self.site.path: source, **{root / name: text for name, text in (more or {}).items()}}
        async with self.bench as bench:
            return await bench.run(files, re.findall(r"def (test_\w+)", source))


bench = Bench


def listing(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*")}


async def test_a_real_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--option-of-an-absent-plugin")
    source = (
        "import pytest\nfrom calc import add\n\n\n"
        "def test_right():\n    assert add(1, 2) == 3\n\n\n"
        "def test_wrong():\n    assert add(1, 2) == 4, 'a message - with a dash'\n\n\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_half_right(n):\n    assert add(n, n) == 2\n\n\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_each(n):\n    assert add(n, 0) == n\n\n\n"
        "def test_without_fixture(nothing_of_that_name):\n    pass\n\n\n"
        "def test_raises():\n    add()\n"
    )
    before = listing(root)
    run = await bench(root).run(source)
    assert run.passed == {"test_right", "test_each"}
    assert set(run.failed) == {"test_wrong", "test_half_right", "test_without_fixture", "test_raises"}
    assert "a message - with a dash" in run.failed["test_wrong"]
    assert "TypeError" in run.failed["test_raises"]
    assert not run.trouble
    assert listing(root) == before


async def test_what_tests_write_is_thrown_away(root: Path) -> None:
    (root / "data.txt").write_text("1", encoding="utf-8")
    source = (
        "from pathlib import Path\nfrom calc import add\n\n\ndef test_a():\n"
        "    assert Path('data.txt').read_text() == '1'\n    Path('data.txt').write_text('2')\n"
        "    Path('new.txt').write_text('2')\n    assert add(1, 2) == 3\n"
    )
    assert (await bench(root).run(source)).passed == {"test_a"}
    assert (root / "data.txt").read_text(encoding="utf-8") == "1"
    assert listing(root) == {"calc.py", "data.txt"}


async def test_a_large_workspace_is_not_copied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_module, "_MOST_BYTES", 10)
    run = await bench(root).run("from calc import add\n\n\ndef test_a():\n    assert add(1, 2) == 3\n")
    assert not run.passed
    assert run.trouble == "the workspace is too large to be copied for it."
    assert listing(root) == {"calc.py"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such limit")
async def test_memory_has_a_limit(root: Path) -> None:
    source = "from calc import add\n\n\ndef test_a():\n    assert add(len(bytearray(3 << 30)), 0)\n"
    limited = bench(root, memory_mb=1024)
    assert "MemoryError" in (await limited.run(source)).failed["test_a"]


async def test_files_are_as_the_editor_has_them(root: Path) -> None:
    source = "from calc import add\n\n\ndef test_a():\n    assert add(1, 2) == -1\n"
    unsaved = {"calc.py": CALC.replace("+", "-")}
    assert (await bench(root).run(source, unsaved)).passed == {"test_a"}
    assert (root / "calc.py").read_text(encoding="utf-8") == CALC


async def test_files_are_as_they_were_in_the_next_run(root: Path) -> None:
    source = "from calc import add\n\n\ndef test_a():\n    assert add(1, 2) == 3\n"
    on = bench(root)
    async with on.bench as kept:
        emptied = await kept.run({on.site.path: source, root / "calc.py": "def add(a, b): ...\n"}, ["test_a"])
        again = await kept.run({on.site.path: source}, ["test_a"])
    assert (emptied.passed, again.passed) == (frozenset(), {"test_a"})


async def test_a_module_in_src_is_found(root: Path) -> None:
    (root / "src" / "shop").mkdir(parents=True)
    (root / "src" / "shop" / "cart.py").write_text("def total():\n    return 0\n", encoding="utf-8")
    run = await bench(root).run("from shop.cart import total\n\n\ndef test_total():\n    assert total() == 0\n")
    assert run == Run(frozenset({"test_total"}))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import module_that_is_not_there\n\n\ndef test_a():\n    pass\n", "module_that_is_not_there"),
        ("def test_a(:\n    pass\n", "SyntaxError"),
        ("x = 1\n", "pytest found no test"),
    ],
)
async def test_what_cannot_be_collected_has_a_reason(source: str, reason: str, root: Path) -> None:
    run = await bench(root).run(source)
    assert run.passed == frozenset()
    assert set(run.failed) == {""}
    assert reason in run.failed[""]
    assert not run.trouble


async def test_a_test_that_does_not_end_is_ended(root: Path) -> None:
    run = await bench(root, timeout_s=3).run("import time\n\n\ndef test_a():\n    time.sleep(3600)\n")
    assert run == Run(failed={"": "they did not finish within 3 s"})


async def test_a_cancelled_run_ends_its_process(root: Path) -> None:
    task = asyncio.create_task(bench(root).run("import time\n\n\ndef test_a():\n    time.sleep(3600)\n"))
    while not (running := [p for p in psutil.Process().children(recursive=True) if _runs(p, "pytest")]):
        assert not task.done()
        await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any(process.is_running() for process in running)


def _runs(process: psutil.Process, word: str) -> bool:
    with contextlib.suppress(psutil.Error):
        return word in process.cmdline()
    return False


async def test_what_is_outside_the_copy_stays(root: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine", encoding="utf-8")
    source = (
        "import tempfile\nfrom pathlib import Path\n\n\n"
        f"def test_removes():\n    Path({str(precious)!r}).unlink()\n\n\n"
        f"def test_reads():\n    assert Path({str(precious)!r}).read_text() == 'mine'\n\n\n"
        "def test_temporary(tmp_path):\n    (tmp_path / 'a').write_text('x')\n    tempfile.mkdtemp()\n"
    )
    run = await bench(root).run(source)
    assert run.passed == {"test_reads", "test_temporary"}
    assert "PermissionError: Shardlight lets nothing change" in run.failed["test_removes"]
    assert precious.read_text(encoding="utf-8") == "mine"


async def test_nothing_of_an_untrusted_workspace_is_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_args: object, **_more: object) -> str | None:
        raise AssertionError("something was run")

    monkeypatch.setattr(bench_module, "output_of", never)
    run = await bench(root, trusted=False).run("def test_a():\n    pass\n")
    assert run.passed == frozenset()
    assert "not trusted" in run.trouble


async def test_no_python_with_pytest(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_args: object, **_more: object) -> str | None:
        return "No module named pytest"

    monkeypatch.setattr(runners, "output_of", nothing)
    run = await bench(root).run("def test_a():\n    pass\n")
    assert "no Python with pytest was found" in run.trouble


@pytest.mark.skipif(sys.platform == "win32", reason="needs a link to Python")
async def test_the_projects_own_python_comes_first(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".venv" / "bin").mkdir(parents=True)
    python = root / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nSHARDLIGHT_OWN_PYTHON=1 exec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    run = await bench(root).run("import os\n\n\ndef test_a():\n    assert os.environ['SHARDLIGHT_OWN_PYTHON']\n")
    assert run.passed == {"test_a"}


async def test_keys_in_the_environment_are_not_lent(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"DATABASE_URL", "KEYBOARD", "MONKEY", "GIT_AUTHOR_NAME"}
    lost = {"OPENAI_API_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "aws_secret_access_key", "SSH_AUTH_SOCK"}
    for name in (*kept, *lost):
        monkeypatch.setenv(name, "x")
    source = (
        "import os\nfrom calc import add\n\n\n"
        f"def test_kept():\n    assert add(0, len({kept!r} & set(os.environ))) == {len(kept)}\n\n\n"
        f"def test_lost():\n    assert add(0, len({lost!r} & set(os.environ))) == 0\n"
    )
    assert (await bench(root).run(source)).passed == {"test_kept", "test_lost"}


async def test_links_that_go_round_are_no_end(root: Path) -> None:
    go_round(root)
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "nowhere").symlink_to(root / "gone")
    source = "from calc import add\n\n\ndef test_a():\n    assert add(1, 2) == 3\n"
    assert (await bench(root).run(source)).passed == {"test_a"}


def test_a_copy_has_each_file_once_and_links_as_links(root: Path, tmp_path: Path) -> None:
    links = go_round(root)
    copy = tmp_path / "copy"
    bench_module._copy(root, copy)
    copied = [path for path in copy.rglob("*") if not path.is_symlink()]
    assert sorted(path.name for path in copied if path.name == "kept.py") == ["kept.py"]
    assert all((copy / name).is_symlink() for name in links if not name.endswith("node_modules"))
