"""What goes into the parts of a release; that they are the same twice is seen by `make release`."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tools.release.building import neovim_plugin, surroundings

ROOT = Path(__file__).resolve().parents[4]


def test_the_neovim_archive_is_a_folder_that_neovim_takes_as_a_package(tmp_path: Path) -> None:
    neovim_plugin(ROOT, tmp_path / "plugin.tar.gz", 0)
    with tarfile.open(tmp_path / "plugin.tar.gz") as archive:
        names = archive.getnames()
    assert {name.split("/")[0] for name in names} == {"shardlight.nvim"}
    inside = {name.removeprefix("shardlight.nvim/") for name in names}
    assert {"LICENSE", "plugin/shardlight.lua", "lsp/shardlight.lua", "lua/shardlight/version.lua"} <= inside


def test_a_build_knows_no_time_but_the_commits_and_no_time_zone() -> None:
    environ = surroundings({"PATH": "/bin", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1"}, 1_700_000_000)
    assert environ == {"PATH": "/bin", "TZ": "UTC", "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "1700000000"}
