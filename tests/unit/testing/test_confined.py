"""Programs that a model has written, in the real process that they are run in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lsp_server.errors import RefusedError
from lsp_server.testing import confined, guarded


async def test_what_comes_to_its_end_passes() -> None:
    assert await confined.run("assert 1 + 1 == 2", timeout_s=30) == confined.Outcome(True)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("assert False", "AssertionError"),
        ("raise ValueError('no')", "ValueError: no"),
        ("def f(:", "SyntaxError"),
        ("import sys; sys.exit(0)", "ended early"),
        ("import os; os._exit(0)", "ended early"),
        ("open('../x', 'w')", "PermissionError: Shardlight lets nothing change"),
        ("import subprocess; subprocess.run(['true'])", "PermissionError: Shardlight starts no other program"),
    ],
)
async def test_what_does_not_says_why(program: str, reason: str) -> None:
    outcome = await confined.run(program, timeout_s=30)
    assert not outcome.passed
    assert outcome.reason.startswith(reason)


async def test_what_never_ends_is_ended() -> None:
    assert await confined.run("while True: pass", timeout_s=1.0) == confined.Outcome(False, "took too long")


async def test_what_prints_for_ever_fills_nobodys_memory() -> None:
    outcome = await confined.run("while True: print('x' * 10_000)", timeout_s=1.0)
    assert outcome.reason == "took too long"


@pytest.mark.skipif(os.name != "posix", reason="no such limit there")
async def test_memory_has_a_limit() -> None:
    assert (await confined.run("bytearray(3 * 10**9)", timeout_s=30)).reason == "MemoryError"


async def test_keys_in_the_environment_are_not_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert (await confined.run("import os; assert 'HF_TOKEN' not in os.environ", timeout_s=30)).passed


async def test_sets_have_the_same_order_each_time() -> None:
    program = "assert hash('word') == {}"
    told = await confined.run("raise ValueError(hash('word'))", timeout_s=30)
    assert (await confined.run(program.format(told.reason.split(": ")[1]), timeout_s=30)).passed


def open_door(folder: Path) -> Path:
    """A guard that refuses nothing."""
    text = Path(guarded.__file__).read_text(encoding="utf-8")
    path = folder / "open_door.py"
    path.write_text(text.replace("raise PermissionError", "return None  # "), encoding="utf-8")
    return path


async def test_where_the_guard_does_not_hold_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await confined.check_guard()

    monkeypatch.setattr(confined, "_GUARDED", open_door(tmp_path))
    with pytest.raises(RefusedError, match="not run at all"):
        await confined.check_guard()
