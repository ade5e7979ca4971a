from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.context.workspace import Workspace, is_secret


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".ENV",
        ".env.production",
        "server.pem",
        "server.KEY",
        "id_rsa",
        "id_ed25519.pub",
        "secrets.yaml",
        "client_secret.json",
        "my-credentials.ini",
        ".netrc",
        ".npmrc",
    ],
)
def test_secrets_are_told_by_their_names(name: str) -> None:
    assert is_secret(Path("/w") / name)


@pytest.mark.parametrize(
    "name", ["main.py", "secrets.py", "Credentials.PY", "secretStore.ts", "environment.py", "a.md"]
)
def test_code_about_secrets_is_no_secret(name: str) -> None:
    assert not is_secret(Path("/w") / name)


def test_reads_what_is_open_rather_than_what_is_on_disk(root: Path) -> None:
    path = root / "a.py"
    path.write_text("on disk", encoding="utf-8")
    workspace = Workspace((root,), lambda p: "typed" if p == path else None)
    assert workspace.read(path) == "typed"


def test_line_ends_stay(root: Path, workspace: Workspace) -> None:
    (root / "a.py").write_bytes(b"a\r\nb\rc\n")
    assert workspace.read(root / "a.py") == "a\r\nb\rc\n"


def test_secrets_are_not_read_even_if_they_are_open(root: Path) -> None:
    workspace = Workspace((root,), lambda _path: "TOKEN=1")
    assert workspace.read(root / ".env") is None


def test_what_is_excluded_is_not_read_even_if_it_is_open(root: Path) -> None:
    workspace = Workspace((root,), lambda _path: "typed", lambda path: path.name == "local.py")
    assert workspace.read(root / "local.py") is None
    assert workspace.read(root / "other.py") == "typed"


def test_a_link_is_as_secret_as_what_it_leads_to(root: Path, workspace: Workspace) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    for path in (root / ".env", root / "local.py", root / "plain.py", outside / "a.py"):
        path.write_text("x = 1\n", encoding="utf-8")
    try:
        for name, target in {"conf.py": ".env", "link.py": "local.py", "same.py": "plain.py"}.items():
            (root / name).symlink_to(target)
        (root / "folder").symlink_to(outside, target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")
    strict = Workspace((root,), lambda _path: None, lambda path: path == root / "local.py")
    assert [strict.read(root / name) for name in ("conf.py", "link.py", "folder/a.py")] == [None] * 3
    assert strict.read(root / "same.py") == "x = 1\n"
    assert workspace.read(root / "link.py") == "x = 1\n"


def test_unreadable_files_are_none(root: Path, workspace: Workspace) -> None:
    (root / "latin1.py").write_bytes(b"name = '\xe9'\n")
    (root / "huge.py").write_bytes(b"#" * 1_000_001)
    (root / "folder.py").mkdir()
    names = ("latin1.py", "huge.py", "folder.py", "missing.py")
    assert [workspace.read(root / name) for name in names] == [None] * 4


def test_the_innermost_root_holds_a_file(root: Path) -> None:
    inner = root / "packages" / "inner"
    workspace = Workspace((root, inner), lambda _path: None)
    assert workspace.root_of(inner / "a.py") == inner
    assert workspace.relative(inner / "src" / "a.py") == "src/a.py"
    assert workspace.relative(root / "b.py") == "b.py"


def test_a_file_outside_every_root_stands_alone(root: Path, workspace: Workspace) -> None:
    outside = root.parent / "elsewhere" / "a.py"
    assert workspace.root_of(outside) == outside.parent
    assert workspace.relative(outside) == "a.py"
