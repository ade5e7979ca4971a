"""The pages of the site, as Markdown: the files of the repository, with links that lead to each other's pages.

A link in a file is one that works on a code host: relative to the file, into any folder. In the site what is linked
becomes a page, too: a README elsewhere, a page of measurements, or code, which is shown with its line numbers.
"""

from __future__ import annotations

import posixpath
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename

ROOT = Path(__file__).resolve().parent.parent.parent

# Page of the site -> file of the repository. Pages in docs/ are in the site under their own names, but for these.
PAGES: Mapping[str, str] = {
    "index.md": "README.md",
    "workspace-index.md": "docs/index.md",
    "getting-started/vscode.md": "editors/vscode/README.md",
    "getting-started/neovim.md": "editors/neovim/README.md",
    "prompts.md": "prompts/README.md",
    "architecture.md": "ARCHITECTURE.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}
RESULTS = "benchmarks/results"

# One file for all editors without a plugin of ours, since it compares them; in the site each has its page.
EDITORS = "docs/editors.md"
EDITOR_PAGES: Mapping[str, tuple[str, ...]] = {
    "Helix": ("Helix",),
    "Emacs": ("Emacs with Eglot", "Emacs with lsp-mode"),
    "Vim": ("Vim with ALE", "Vim with other plugins"),
    "Zed": ("Zed",),
    "Sublime Text": ("Sublime Text",),
    "Kate": ("Kate",),
    "JetBrains": ("JetBrains",),
}
_INSTALL = "[Install Shardlight and a model](getting-started/index.md) first. [What holds for all editors](editors.md)."

_LINK = re.compile(r"(?<=\]\()([^()\s#]*)(?:#([^()\s]*))?(?=[)\s])")
_FENCE = re.compile(r"^( *)(```+|~~~+)[^\n]*\n.*?^\1\2 *$", re.MULTILINE | re.DOTALL)
# Each line is a `span` of its own, so that a link can lead to it and it can be shown.
_FORMATTER = HtmlFormatter(cssclass="highlight listing", linenos="inline", linespans="L")
_HIDDEN = "---\nsearch:\n  exclude: true\n---\n\n"


def pages(root: Path = ROOT) -> dict[str, str]:
    """All pages of the site: their places below its root -> their Markdown.

    Raises:
        ValueError: `EDITOR_PAGES` and the sections of the editors' file are not the same.
    """
    files = _files(root)
    texts = {page: (file, (root / file).read_text(encoding="utf-8")) for page, file in files.items()}
    head, sections = _sections(texts["editors.md"][1])
    texts["editors.md"] = EDITORS, head
    texts |= {page: (EDITORS, text) for page, text in _editors(sections).items()}
    texts["changelog.md"] = "CHANGELOG.md", _changelog(root)
    places = {file: page for page, file in files.items()}
    made, code = {}, set()
    for page, (file, text) in texts.items():
        links = _Links(root, page, file, places)
        made[page] = links.rewritten(text)
        code |= links.code
    return made | {_code_page(file): _listing(root, file) for file in code}


def is_in_navigation(page: str) -> bool:
    """Whether a page has a place in the navigation; the others are found by links."""
    return not page.startswith(("measured/", "code/"))


def slug(heading: str) -> str:
    """A heading's anchor, as code hosts and the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _files(root: Path) -> dict[str, str]:
    found = {}
    for path in sorted((root / "docs").rglob("*.md")):
        found[path.relative_to(root / "docs").as_posix()] = path.relative_to(root).as_posix()
    for path in sorted((root / RESULTS).glob("*.md")):
        found[f"measured/{path.name}"] = path.relative_to(root).as_posix()
    return {**found, **PAGES}


def _sections(text: str) -> tuple[str, dict[str, str]]:
    """What stands before the first heading of the second level, and what is below each of them."""
    head, *parts = re.split(r"^## +(.+)$", text, flags=re.MULTILINE)
    return head, dict(zip(parts[::2], parts[1::2], strict=True))


def _editors(sections: Mapping[str, str]) -> dict[str, str]:
    named = [section for group in EDITOR_PAGES.values() for section in group]
    if sorted(named) != sorted(sections):
        raise ValueError(f"{EDITORS} has {sorted(sections)}, but EDITOR_PAGES names {sorted(named)}")
    made = {}
    for editor, group in EDITOR_PAGES.items():
        bodies = [(f"\n## {one}\n" if len(group) > 1 else "") + sections[one] for one in group]
        made[_editor_page(editor)] = f"# {editor}\n\n{_INSTALL}\n" + "".join(bodies)
    return made


def _editor_page(editor: str) -> str:
    return f"getting-started/{slug(editor)}.md"


def _editor_anchors() -> dict[str, str]:
    """Anchors in the editors' file -> where in the site they are."""
    return {
        slug(section): _editor_page(editor) + (f"#{slug(section)}" if len(group) > 1 else "")
        for editor, group in EDITOR_PAGES.items()
        for section in group
    }


def _changelog(root: Path) -> str:
    """The changelog, with what is not released yet in its place."""
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "Not released yet", "--date", ""]
    draft = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=True).stdout
    draft = draft.replace("## Not released yet ()", "## Not released yet")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    return changelog.replace("<!-- towncrier release notes start -->", draft)


def _code_page(file: str) -> str:
    return f"code/{file}.md"


def _listing(root: Path, file: str) -> str:
    lexer = get_lexer_for_filename(file, stripnl=False)
    text = (root / file).read_text(encoding="utf-8")
    return f"{_HIDDEN}# {file}\n\n{highlight(text, lexer, _FORMATTER)}"


class _Links:
    """The links of one page.

    Attributes:
        code: files that are linked and are no pages of their own.
    """

    def __init__(self, root: Path, page: str, file: str, places: Mapping[str, str]) -> None:
        self.code: set[str] = set()
        self._root = root
        self._page = page
        self._file = file
        self._places = places

    def rewritten(self, text: str) -> str:
        """The text, with links from page to page; code blocks stay as they are."""
        # Markdown within HTML counts on a code host; here that has to be said.
        text = text.replace("<details open>", "<details open markdown>")
        return "".join(part if is_code else _LINK.sub(self._link, part) for is_code, part in _parts(text))

    def _link(self, match: re.Match[str]) -> str:
        target, anchor = match[1], match[2]
        if re.match(r"[a-z]+:", target):
            return match[0]
        place = self._place(target, anchor)
        if place is None:
            return match[0]  # the site's builder says that it leads nowhere
        path, hash_, rest = place.partition("#")
        return posixpath.relpath(path, posixpath.dirname(self._page) or ".") + hash_ + rest

    def _place(self, target: str, anchor: str | None) -> str | None:
        """Where in the site something is, with its anchor."""
        file = posixpath.normpath(posixpath.join(posixpath.dirname(self._file), target)) if target else self._file
        if file == EDITORS and anchor in (anchors := _editor_anchors()):
            return anchors[anchor]
        path = self._root / file
        if path.is_dir():
            file, path = f"{file}/README.md", path / "README.md"
        behind = f"#{anchor}" if anchor else ""
        if file in self._places:
            return self._places[file] + behind
        if not path.is_file():
            return None
        if file.startswith("docs/"):
            return file.removeprefix("docs/") + behind
        self.code.add(file)
        line = re.fullmatch(r"L(\d+)", anchor or "")
        return _code_page(file) + (f"#L-{line[1]}" if line else "")


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    end = 0
    for fence in _FENCE.finditer(text):
        yield False, text[end : fence.start()]
        yield True, fence[0]
        end = fence.end()
    yield False, text[end:]
