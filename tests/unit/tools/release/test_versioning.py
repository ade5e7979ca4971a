"""The version stands in one place, and the changelog is made of fragments by the real towncrier."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lsp_server import __version__
from tools import generate
from tools.release import versioning
from tools.release.versioning import VersionError

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As much of a checkout as it takes, of version 0.9.1 and with two fragments."""
    (tmp_path / "lsp_server").mkdir()
    (tmp_path / "lsp_server" / "__init__.py").write_text('"""Ours."""\n\n__version__ = "0.9.1"\n', encoding="utf-8")
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "changes").mkdir()
    shutil.copyfile(ROOT / "changes" / "README.md", tmp_path / "changes" / "README.md")
    (tmp_path / "changes" / "7.feature.1.md").write_text("It flies.\n", encoding="utf-8")
    (tmp_path / "changes" / "7.fix.md").write_text("It lands.\n", encoding="utf-8")
    return tmp_path


def test_the_version_of_this_checkout_is_read() -> None:
    assert versioning.read(ROOT) == __version__


@pytest.mark.parametrize("version", ["0.9.1", "0.9.2", "0.10.0", "1.0.0"])
def test_a_version_is_written_where_it_stands(root: Path, version: str) -> None:
    versioning.write(root, version)
    text = (root / "lsp_server" / "__init__.py").read_text(encoding="utf-8")
    assert text == f'"""Ours."""\n\n__version__ = "{version}"\n'


@pytest.mark.parametrize("version", ["0.9.0", "0.1.10", "1.0", "v1.0.0", "1.0.0rc1", "01.0.0", ""])
def test_a_version_that_is_none_or_lower_is_refused(root: Path, version: str) -> None:
    with pytest.raises(VersionError):
        versioning.write(root, version)
    assert versioning.read(root) == "0.9.1"


def test_all_that_names_the_version_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "__version__", "7.8.9")
    assert json.loads(generate.vscode_manifest())["version"] == "7.8.9"
    lock = json.loads(generate.vscode_lock())
    assert (lock["version"], lock["packages"][""]["version"]) == ("7.8.9", "7.8.9")
    assert generate.neovim_version().endswith('return "7.8.9"\n')


def test_a_draft_of_our_own_changelog_has_every_fragment() -> None:
    draft = versioning.changelog(ROOT, "99.0.0", draft=True)
    assert "## 99.0.0" in draft
    fragments = [path for path in (ROOT / "changes").glob("*.md") if path.name != "README.md"]
    missing = [path.name for path in fragments if path.read_text(encoding="utf-8").split()[0] not in draft]
    assert missing == []
    assert draft.count("\n- ") + draft.count("\n* ") >= len(fragments)


def test_a_release_collects_the_fragments_and_removes_them(root: Path) -> None:
    before = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    versioning.changelog(root, "1.0.0", draft=True)
    assert (root / "CHANGELOG.md").read_text(encoding="utf-8") == before
    versioning.changelog(root, "1.0.0", draft=False)
    after = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert after.index("<!-- towncrier release notes start -->") < after.index("## 1.0.0") < after.index("It flies.")
    assert "It lands. (#7)" in after
    assert [path.name for path in (root / "changes").iterdir()] == ["README.md"]


def test_a_fragment_of_no_known_kind_is_said(root: Path) -> None:
    (root / "changes" / "7.nonsense.md").write_text("What?\n", encoding="utf-8")
    with pytest.raises(VersionError, match="nonsense"):
        versioning.changelog(root, "1.0.0", draft=True)
