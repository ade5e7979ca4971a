"""``python -m lsp_server`` and the command ``shardlight``."""

from __future__ import annotations

import sys

from lsp_server.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
