"""A full-size stand-in for the flagship model: ``python -m tools.flagship --folder FOLDER``.

Its two shards have the heads that DeepSeek-V4-Flash has and holes for weights: 61 GB to look at, some MB on the disk.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lsp_server.models.blueprint import load_blueprint
from tools.gguf_files import write_files

FLAGSHIP = "deepseek-v4-flash"
_BLOCK = 512  # what st_blocks counts in


def write(folder: Path) -> tuple[Path, ...]:
    """Write the shards into a folder that is made if it is missing; returns their paths, the one to load first."""
    return write_files(load_blueprint(FLAGSHIP), folder, random=False)


def main(arguments: list[str] | None = None) -> int:
    """Write the files and say how large they look and are."""
    parser = argparse.ArgumentParser(description="Write a full-size stand-in for the flagship model.")
    parser.add_argument("--folder", type=Path, required=True, help="where its two files go")
    options = parser.parse_args(arguments)
    for path in write(options.folder):
        status = path.stat()
        # Windows does not tell what a file really takes.
        real = f", {status.st_blocks * _BLOCK / 1e6:.1f} MB on the disk" if hasattr(status, "st_blocks") else ""
        print(f"{path}: {status.st_size / 1e9:.2f} GB{real}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
