"""Processes of our own Python, and how they are started.

Python looks for modules first in the folder where ``python -m`` is started: in that of a workspace, a file ``json.py``
of anybody's would be run, and a project that is called like a package of ours would take its place.
"""

from __future__ import annotations

import sys

# Where they are started: not a folder that anybody can write, and never a workspace.
FOLDER = sys.prefix


def command(module: str, *arguments: str) -> list[str]:
    """What runs a module. To be started in `FOLDER`, so that paths among the arguments have to be absolute."""
    return [sys.executable, "-m", module, *arguments]
