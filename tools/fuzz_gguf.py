"""Coverage-guided fuzzing of the GGUF reader and of what is planned from it: they may refuse a file, nothing else.

``pip install atheris`` (Linux; not among the development tools), then::

    python -m tools.fuzz_gguf -max_total_time=600 CORPUS_FOLDER

Finds crashes, hangs and, through libFuzzer's own limits (``-rss_limit_mb``, ``-malloc_limit_mb``), allocations out of
proportion.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports():
    from lsp_server.errors import InvalidModelFileError, PlanError
    from lsp_server.models.gguf.reader import HeadGoesOnError, parse_head
    from lsp_server.models.gguf.shard_set import open_set
    from lsp_server.models.hardware import load_profile
    from lsp_server.models.planning.anatomy import anatomy_of
    from lsp_server.models.planning.plan import Wishes
    from lsp_server.models.planning.planner import make_plan

_FILE = Path(tempfile.mkdtemp(prefix="shardlight-fuzz-")) / "m.gguf"
_PLANNED = 64
_MACHINE = load_profile("gpu-24gb-64gb")


def one_input(data: bytes) -> Any:
    """Read a file with these bytes, and plan for it; whatever is raised besides a refusal is a finding."""
    _FILE.write_bytes(data)
    with contextlib.suppress(InvalidModelFileError, HeadGoesOnError):
        parse_head(data[: len(data) // 2], _FILE, len(data))
    try:
        model = anatomy_of(open_set(_FILE))
        # Planning takes a hundred times as long as reading.
        if zlib.crc32(data) % _PLANNED == 0:
            make_plan(model, _MACHINE, Wishes())
    except (InvalidModelFileError, PlanError):
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
