"""A download that is killed with SIGKILL goes on at the byte where it was, in a new process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAME = "hf:org/repo/m.gguf"


def _pull(hub: Any, folder: Path) -> subprocess.Popen[str]:
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("HF_", "SHARDLIGHT_"))},
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(folder / "hf"),
        "SHARDLIGHT_MODELS__DIRECTORY": str(folder / "models"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "lsp_server", "models", "pull", NAME]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )


def test_a_killed_download_goes_on(hub: Any, tmp_path: Path, gguf_bytes: Callable[..., bytes]) -> None:
    data = gguf_bytes(1, 200_000)
    hub.add("org/repo", "m.gguf", data)
    hub.stalls = [70_000]
    blobs = tmp_path / "hf" / "hub" / "models--org--repo" / "blobs"

    first = _pull(hub, tmp_path)
    end = time.monotonic() + 60
    while sum(part.stat().st_size for part in blobs.glob("*.part")) < 65_536 and time.monotonic() < end:
        assert first.poll() is None, first.communicate()[0]
        time.sleep(0.02)
    first.kill()
    first.communicate()
    hub.go_on.set()
    (part,) = blobs.glob("*.part")
    kept = part.stat().st_size

    second = _pull(hub, tmp_path)
    output, _ = second.communicate(timeout=120)
    assert second.returncode == 0, output
    assert f"{NAME} is ready" in output
    assert hub.asked_ranges == [f"bytes={kept}-"]
    (link,) = (tmp_path / "hf" / "hub").rglob("m.gguf")
    assert link.read_bytes() == data
