"""The site is built without a warning, from the files that are there, and loads nothing from elsewhere."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.editor import REPOSITORY
from tools.docs.site import EDITOR_PAGES, pages, slug

# Links may lead elsewhere; what a page loads may not.
_LOADED = re.compile(r"<(?:img|script|iframe|source)\b[^>]*?\bsrc=\"?([^\" >]+)|<link\b([^>]*)>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environ, capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = []
    for page in site.rglob("*.html"):
        for source, link in _LOADED.findall(page.read_text(encoding="utf-8")):
            address = source or next(iter(re.findall(r'href="?([^" >]+)', link)), "")
            loaded.append(address)
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))

    assert len(loaded) > 100
    assert [address for address in loaded if re.match(r"(?:https?:)?//", address)] == []
    assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)]*", styles) == []


def test_what_lies_elsewhere_is_in_it(site: Path) -> None:
    for page in ("prompts.html", "contributing.html", "changelog.html", "architecture.html", "workspace-index.html"):
        assert (site / page).is_file()
    assert "A private coding assistant" in (site / "index.html").read_text(encoding="utf-8")
    assert 'id="installing"' in (site / "index.html").read_text(encoding="utf-8")
    assert "Not released yet" in (site / "changelog.html").read_text(encoding="utf-8")
    for editor in ("vscode", "neovim", *map(slug, EDITOR_PAGES)):
        assert (site / "getting-started" / f"{editor}.html").is_file()


def test_a_link_of_the_tour_leads_to_its_line(site: Path) -> None:
    tour = (site / "tour.html").read_text(encoding="utf-8")
    links = re.findall(r'<a href="code/([^"#]+)\.html#L-(\d+)"><code>', tour)

    assert len(links) > 30
    for file, number in links:
        listing = (site / "code" / f"{file}.html").read_text(encoding="utf-8")
        line = re.split(rf'<span id="L-{number}">', listing, maxsplit=1)[1].split("\n", 1)[0]
        shown = html.unescape(re.sub(r"<[^>]+>", "", line)).strip()
        there = (REPOSITORY / file).read_text(encoding="utf-8").splitlines()[int(number) - 1]
        assert shown.removeprefix(number).strip() == there.strip()


@pytest.mark.parametrize("picture", sorted((REPOSITORY / "docs/diagrams").iterdir()), ids=lambda path: path.name)
def test_a_diagram_can_be_read_in_any_light_and_by_anybody(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")

    assert "prefers-color-scheme: dark" in text
    assert len(re.search(r"<desc[^>]*>(.*?)</desc>", text, re.DOTALL)[1]) > 100  # type: ignore[index]
    assert "<text" in text
    assert re.findall(r"https?:[^\"' ]*", text) == ["http://www.w3.org/2000/svg"]


def _written(root: Path, **files: str) -> Path:
    """A repository in small: files by their paths, with ``__`` for slashes."""
    sections = "\n".join(f"## {one}\nText of {one}." for group in EDITOR_PAGES.values() for one in group)
    standing = {
        "docs/editors.md": f"# Editors\n[Helix](#helix) [Eglot](#emacs-with-eglot)\n\n{sections}\n",
        "docs/index.md": "# Index\n[see](settings.md#engine)\n",
        "docs/settings.md": "# Settings\n",
        "pyproject.toml": (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"),
        "CHANGELOG.md": "# Changelog\n\n<!-- towncrier release notes start -->\n",
        "changes/1.fix.md": "Mended. [How](docs/index.md)",
        "benchmarks/results/engine.md": "# Engine\n",
        "code.py": "x = 1\n",
    }
    for name in ("README", "ARCHITECTURE", "CONTRIBUTING", "prompts/README", "editors/vscode/README"):
        standing[f"{name}.md"] = "# Page\n"
    standing["editors/neovim/README.md"] = "# Neovim\n"
    for path, text in {**standing, **{name.replace("__", "/") + ".md": text for name, text in files.items()}}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def test_links_lead_to_the_pages_of_the_files(tmp_path: Path) -> None:
    text = (
        "[a](../index.md) [b](../../editors/vscode/README.md#keys) [c](../../benchmarks/results/engine.md) "
        "[d](../editors.md#helix) [e](../editors.md#emacs-with-eglot) [f](../../code.py#L1) [g](https://x.y/z.md) "
        "[h](../../prompts) [i](../../README.md) [j](gone.md) ![k](../pictures/k.png)"
    )
    root = _written(tmp_path, docs__sub__page=f"{text}\n\n```md\n[a](../index.md)\n```\n")
    (root / "docs/pictures").mkdir()
    (root / "docs/pictures/k.png").touch()

    made = pages(root)

    assert made["sub/page.md"] == (
        "[a](../workspace-index.md) [b](../getting-started/vscode.md#keys) [c](../measured/engine.md) "
        "[d](../getting-started/helix.md) [e](../getting-started/emacs.md#emacs-with-eglot) "
        "[f](../code/code.py.md#L-1) [g](https://x.y/z.md) "
        "[h](../prompts.md) [i](../index.md) [j](gone.md) ![k](../pictures/k.png)\n\n```md\n[a](../index.md)\n```\n"
    )
    assert 'id="L-1"' in made["code/code.py.md"]
    assert made["workspace-index.md"].endswith("[see](settings.md#engine)\n")


def test_each_editor_has_a_page_of_its_own(tmp_path: Path) -> None:
    made = pages(_written(tmp_path))

    assert made["editors.md"] == (
        "# Editors\n[Helix](getting-started/helix.md) [Eglot](getting-started/emacs.md#emacs-with-eglot)\n\n"
    )
    assert made["getting-started/helix.md"].startswith("# Helix\n\n[Install Shardlight and a model](")
    assert "Text of Helix." in made["getting-started/helix.md"]
    assert "## Emacs with lsp-mode\n\nText of Emacs with lsp-mode." in made["getting-started/emacs.md"]


def test_an_editor_without_a_page_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Nano"):
        pages(_written(tmp_path, docs__editors="# Editors\n\n## Nano\n"))


def test_what_is_not_released_stands_in_the_changelog(tmp_path: Path) -> None:
    changelog = pages(_written(tmp_path))["changelog.md"]

    assert changelog.startswith("# Changelog\n\n## Not released yet\n")
    assert "Mended. [How](workspace-index.md)" in changelog
