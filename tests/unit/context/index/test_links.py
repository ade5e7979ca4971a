from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from lsp_server.context.index.links import is_link, led_to


def test_links_and_junctions(root: Path) -> None:
    (root / "link").symlink_to(root)
    junction = SimpleNamespace(st_mode=stat.S_IFDIR, st_reparse_tag=0xA0000003)
    assert is_link((root / "link").lstat())
    assert is_link(cast(os.stat_result, junction))
    assert not is_link(root.lstat())


def test_where_a_path_leads(root: Path, tmp_path: Path) -> None:
    (root / "a").mkdir()
    (root / "in").symlink_to("a")
    (root / "out").symlink_to(tmp_path)
    assert led_to(root / "in" / "b.py", root) == root / "a" / "b.py"
    assert led_to(root / "a" / "b.py", root) == root / "a" / "b.py"
    assert led_to(root / "out" / "b.py", root) is None
    assert led_to(root / "in" / "nul\0", root) == root / "in" / "nul\0"
