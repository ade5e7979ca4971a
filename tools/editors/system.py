"""What has to be installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.editors.fetching import NotHereError

_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium(_folder: Path) -> Path:
    """A browser on the ``PATH``: it needs too much of a system to be unpacked beside one."""
    found = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if found is None:
        raise NotHereError("no Chromium is on the PATH; on Debian: apt-get install chromium")
    return Path(found)
