"""Coverage-guided fuzzing of the GGUF reader: it may refuse a file, nothing else.

``pip install atheris`` (Linux; not among the development tools), then::

    python -m tools.fuzz_gguf -max_total_time=600 CORPUS_FOLDER

Finds crashes, hangs and, through libFuzzer's own limits (``-rss_limit_mb``, ``-malloc_limit_mb``), allocations out of
proportion.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports():
    from lsp_server.errors import InvalidModelFileError
    from lsp_server.models.card import model_card
    from lsp_server.models.gguf.shard_set import open_set

_FILE = Path(tempfile.mkdtemp(prefix="shardlight-fuzz-")) / "m.gguf"


def one_input(data: bytes) -> Any:
    """Read a file with these bytes; whatever is raised besides a refusal is a finding."""
    _FILE.write_bytes(data)
    try:
        model_card(open_set(_FILE))
    except InvalidModelFileError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
