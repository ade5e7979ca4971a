"""Django's source distribution: a workspace of about 2,900 Python files that everybody can fetch."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from platformdirs import user_cache_path

NAME, VERSION = "Django", "5.2.8"


def unpacked(folder: Path) -> Path:
    """Unpack it into a folder, and return its own there. It is fetched once.

    Raises:
        subprocess.CalledProcessError: it cannot be fetched.
    """
    cache = user_cache_path("shardlight", appauthor=False) / "benchmarks"
    archive = cache / f"{NAME.lower()}-{VERSION}.tar.gz"
    if not archive.is_file():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", str(cache), f"{NAME}=={VERSION}"], check=True)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")
