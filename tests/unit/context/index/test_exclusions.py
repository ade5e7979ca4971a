from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.context.index.exclusions import Exclusions
from tests.support.links import go_round
from tests.unit.context.conftest import MakeFiles


def found(root: Path, *globs: str, start: str = "") -> list[str]:
    return [file.path for file in Exclusions(root, globs).walk(start)]


def agree(root: Path, *globs: str) -> list[str]:
    """What a walk finds, after a look at whether each file that is there would say the same of itself."""
    exclusions = Exclusions(root, globs)
    walked = [file.path for file in exclusions.walk()]
    there = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sorted(walked) == sorted(p.relative_to(root).as_posix() for p in there if not exclusions.is_excluded(p))
    return walked


def test_files_come_by_folder_with_time_and_size(root: Path, files: MakeFiles) -> None:
    files({"b.py": "1", "a/x.py": "12", "a/deep/y.py": "123", "c.py": ""})
    walked = list(Exclusions(root).walk())
    assert [file.path for file in walked] == ["b.py", "c.py", "a/x.py", "a/deep/y.py"]
    assert [file.size for file in walked] == [1, 0, 2, 3]
    assert walked[0].mtime_ns == (root / "b.py").stat().st_mtime_ns


def test_rules_of_git_nested_and_taken_back(root: Path, files: MakeFiles) -> None:
    files(
        {
            ".gitignore": "*.gen.py\n/build/\n!keep.gen.py\n# a comment\nlogs\n",
            "a.gen.py": "",
            "keep.gen.py": "",
            "build/x.py": "",
            "sub/build/x.py": "",
            "sub/.gitignore": "!b.gen.py\nown.py\n",
            "sub/b.gen.py": "",
            "sub/own.py": "",
            "own.py": "",
            "sub/logs/c.py": "",
        }
    )
    assert [path for path in agree(root) if path.endswith(".py")] == [
        "keep.gen.py",
        "own.py",
        "sub/b.gen.py",
        "sub/build/x.py",
    ]


def test_nothing_in_an_ignored_folder_is_taken_back(root: Path, files: MakeFiles) -> None:
    files({".gitignore": "out/\n!out/a.py\n", "out/a.py": "", "out/.gitignore": "!a.py\n", "b.py": ""})
    assert agree(root) == [".gitignore", "b.py"]


def test_rules_of_the_repository_around_the_folder(root: Path, files: MakeFiles) -> None:
    files(
        {
            ".git/info/exclude": "mine.py\n",
            ".gitignore": "*.tmp.py\n/pkg/only.py\n",
            "pkg/a.py": "",
            "pkg/b.tmp.py": "",
            "pkg/only.py": "",
            "pkg/mine.py": "",
        }
    )
    assert agree(root / "pkg") == ["a.py"]
    assert [path for path in agree(root) if path.endswith(".py")] == ["pkg/a.py"]


def test_rules_outside_of_a_repository_do_not_count(root: Path, files: MakeFiles) -> None:
    files({".gitignore": "*.py\n", "pkg/a.py": ""})
    assert agree(root / "pkg") == ["a.py"]


def test_a_line_that_is_no_pattern_spoils_no_others(root: Path, files: MakeFiles) -> None:
    files({".gitignore": "!\n/\n[z-a].py\nb.py\n", "a.py": "", "b.py": ""})
    assert agree(root) == [".gitignore", "a.py"]


def test_the_users_globs_win(root: Path, files: MakeFiles) -> None:
    files({".gitignore": "!a.py\n", "a.py": "", "gen/b.py": "", "c.py": ""})
    assert agree(root, "a.py", "gen/") == [".gitignore", "c.py"]


@pytest.mark.parametrize("folder", [".git", "node_modules", "__pycache__", "x/site-packages", ".tox", "Node_Modules"])
def test_what_was_fetched_or_made_is_not_looked_into(folder: str, root: Path, files: MakeFiles) -> None:
    files({f"{folder}/deep/a.py": "", "b.py": ""})
    assert agree(root) == ["b.py"]


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "CACHEDIR.TAG"])
def test_folders_that_say_that_they_can_be_made_anew(marker: str, root: Path, files: MakeFiles) -> None:
    files({f"env/{marker}": "", "env/lib/a.py": "", "b.py": ""})
    assert agree(root) == ["b.py"]


def test_the_folder_that_was_opened_is_looked_into_whatever_its_name(root: Path, files: MakeFiles) -> None:
    files({"node_modules/pkg/a.js": "", "node_modules/pkg/pyvenv.cfg": ""})
    assert agree(root / "node_modules" / "pkg") == ["a.js", "pyvenv.cfg"]


def test_secrets(root: Path, files: MakeFiles) -> None:
    files({".env": "", ".env.local": "", "key.pem": "", "secrets/db.yaml": "", "secrets/store.py": "", "a.py": ""})
    assert agree(root) == ["a.py", "secrets/store.py"]


def test_links_are_not_followed(root: Path, files: MakeFiles, tmp_path: Path) -> None:
    files({"a/b.py": ""})
    (tmp_path / "outside.py").write_text("", encoding="utf-8")
    (root / "a" / "loop").symlink_to(root, target_is_directory=True)
    (root / "out.py").symlink_to(tmp_path / "outside.py")
    (root / "broken.py").symlink_to(root / "nowhere")
    assert found(root) == ["a/b.py"]
    assert found(root, start="a/loop") == []
    assert found(root, start="out.py") == []


def test_links_that_go_round_are_no_end(root: Path) -> None:
    links = go_round(root)
    assert found(root) == ["a/kept.py"]
    exclusions = Exclusions(root)
    for name in links:
        assert found(root, start=name) == []
        # There is an answer for each, and for what would be below it.
        for place in (root / name, root / name / "b" / "b" / "kept.py"):
            assert exclusions.is_excluded(place) == ("node_modules" in place.parent.parts)


def test_nothing_below_a_linked_folder_is_walked_to(root: Path, files: MakeFiles, tmp_path: Path) -> None:
    files({"a/b.py": ""})
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    (tmp_path / "outside" / "deep" / "c.py").write_text("", encoding="utf-8")
    (root / "out").symlink_to(tmp_path / "outside", target_is_directory=True)
    (root / "in").symlink_to(root / "a", target_is_directory=True)
    for start in ("out/deep/c.py", "out/deep", "in/b.py", "in", "../outside", "a/../../outside/deep/c.py"):
        assert found(root, start=start) == []


def test_a_link_is_left_alone_if_what_it_leads_to_is(root: Path, files: MakeFiles, tmp_path: Path) -> None:
    files({".env": "", "a/b.py": "", "gen/c.py": "", ".gitignore": "gen/\n", "keys/id_rsa": ""})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "d.py").write_text("", encoding="utf-8")
    for name, target in {
        "conf.py": root / ".env",
        "own.py": root / "a" / "b.py",
        "gen.py": root / "gen" / "c.py",
        "out": tmp_path / "outside",
        "here": root / "a",
        "loop": root / "loop",
    }.items():
        (root / name).symlink_to(target)
    exclusions = Exclusions(root)
    for name in ("conf.py", "gen.py", "out/d.py", "out/new.py", "a/../../outside/d.py", "a/../.env", "x/\0/y.py/.env"):
        assert exclusions.is_excluded(root / name)
    for name in ("own.py", "here/b.py", "a/b.py", "a/new.py", "a/../a/b.py", "loop", "nul\0.py"):
        assert not exclusions.is_excluded(root / name)


def test_a_workspace_folder_may_be_a_link_itself(root: Path, files: MakeFiles, tmp_path: Path) -> None:
    files({"a.py": ""})
    (root / "b.py").symlink_to("a.py")
    (tmp_path / "link").symlink_to(root, target_is_directory=True)
    assert found(tmp_path / "link") == ["a.py"]
    assert not Exclusions(tmp_path / "link").is_excluded(tmp_path / "link" / "b.py")


def test_rules_that_a_link_leads_to_do_not_count(root: Path, files: MakeFiles) -> None:
    files({"rules": "a.py\n", "a.py": ""})
    (root / ".gitignore").symlink_to("rules")
    assert found(root) == ["a.py", "rules"]


def test_a_walk_may_begin_at_a_folder_or_a_file(root: Path, files: MakeFiles) -> None:
    files({".gitignore": "x.py\nout/\n", "a/b.py": "", "a/x.py": "", "out/c.py": "", "d.py": ""})
    assert found(root, start="a") == ["a/b.py"]
    assert found(root, start="a/b.py") == ["a/b.py"]
    for start in ("a/x.py", "out", "out/c.py", "gone.py"):
        assert found(root, start=start) == []


def test_a_walk_begins_only_at_what_is_spelled_so(
    root: Path, files: MakeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files({"sub/foo.py": ""})

    def careless(stat: Callable[..., Any]) -> Callable[..., Any]:
        def look(path: Path, **options: bool) -> Any:
            below = path.relative_to(root).as_posix().lower() if path.is_relative_to(root) else path
            return stat(root / below, **options)

        return look

    # As on macOS and Windows.
    for name in ("stat", "is_dir", "is_file"):
        monkeypatch.setattr(Path, name, careless(getattr(Path, name)))
    assert (root / "Sub" / "Foo.py").is_file()
    for start in ("sub/Foo.py", "Sub/foo.py", "Sub"):
        assert found(root, start=start) == []
    for start in ("sub/foo.py", "sub"):
        assert found(root, start=start) == ["sub/foo.py"]


def test_what_is_outside_of_the_folder_is_left_alone(root: Path) -> None:
    assert Exclusions(root).is_excluded(root.parent / "a.py")
