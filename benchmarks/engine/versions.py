"""Which versions of other people's programs take part."""

from __future__ import annotations

import json
import os
import subprocess

from benchmarks.engine.outcome import Setup


def versions(setup: Setup) -> dict[str, str]:
    """As the programs tell it themselves; ``?`` where one does not."""
    found = {}
    if program := setup.llama_server:
        environ = {**os.environ, "LD_LIBRARY_PATH": str(program.parent)}
        done = subprocess.run([program, "--version"], env=environ, capture_output=True, encoding="utf-8", check=False)
        said = (line.partition(": ") for line in (done.stdout + done.stderr).splitlines())
        found["llama-server"] = next((after for before, _, after in said if before == "version"), "?")
    if setup.node_llama_cpp:
        package = setup.node_llama_cpp / "node_modules" / "node-llama-cpp" / "package.json"
        found["node-llama-cpp"] = json.loads(package.read_text("utf-8"))["version"] if package.is_file() else "?"
    return found
