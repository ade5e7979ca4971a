from __future__ import annotations

import os
from pathlib import Path

from lsp_server.context.files import FileCache
from lsp_server.context.workspace import Workspace


def test_a_file_is_read_again_only_when_it_has_changed(root: Path) -> None:
    path = root / "a.py"
    path.write_text("one", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    cache, workspace = FileCache(), Workspace((root,), lambda _path: None)
    assert cache.text(path, workspace) == "one"
    path.write_text("two", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert cache.text(path, workspace) == "one"
    os.utime(path, ns=(2, 2))
    assert cache.text(path, workspace) == "two"


def test_what_is_derived_is_worked_out_once_a_state(root: Path) -> None:
    path, texts, calls = root / "a.py", ["typed"], []
    workspace = Workspace((root,), lambda _path: texts[0])

    def length(_path: Path, text: str) -> int:
        calls.append(text)
        return len(text)

    cache = FileCache()
    assert [cache.derived(path, workspace, length) for _ in range(2)] == [5, 5]
    texts[0] = "typed more"
    assert cache.derived(path, workspace, length) == 10
    assert calls == ["typed", "typed more"]


def test_missing_and_secret_files_have_no_text(root: Path, workspace: Workspace) -> None:
    (root / ".env").write_text("TOKEN=1", encoding="utf-8")
    cache = FileCache()
    assert cache.text(root / ".env", workspace) is None
    assert cache.text(root / "none.py", workspace) is None
    assert cache.derived(root / "none.py", workspace, lambda _path, text: text) is None


def test_what_is_excluded_later_has_no_text_any_more(root: Path) -> None:
    path, excluded = root / "a.py", set[Path]()
    path.write_text("one", encoding="utf-8")
    cache, workspace = FileCache(), Workspace((root,), lambda _path: None, excluded.__contains__)
    assert cache.text(path, workspace) == "one"
    excluded.add(path)
    assert cache.text(path, workspace) is None


def test_a_file_that_appears_is_seen(root: Path, workspace: Workspace) -> None:
    cache, path = FileCache(), root / "a.py"
    assert cache.text(path, workspace) is None
    path.write_text("new", encoding="utf-8")
    assert cache.text(path, workspace) == "new"
