from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from lsp_server.context.index import builder
from lsp_server.context.index.builder import KnownTree, build
from lsp_server.context.index.database import databases_beside, delete, open_for_reading
from lsp_server.context.index.exclusions import Exclusions
from lsp_server.context.index.extract import FileFacts
from lsp_server.context.index.order import Order
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.context.index.writer import Writer
from lsp_server.syntax.snapshot import Snapshot
from tests.support.engine import PATIENCE_S
from tests.unit.context.conftest import MakeFiles
from tests.unit.context.index.conftest import Build


@pytest.fixture
def read_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first lines of the files that are looked into from now on."""
    seen: list[str] = []
    facts = builder.facts

    def watched(snapshot: Snapshot) -> FileFacts:
        seen.append(snapshot.lines.line_text(0))
        return facts(snapshot)

    monkeypatch.setattr(builder, "facts", watched)
    return seen


def paths(index: WorkspaceIndex) -> list[str]:
    """The files in which something could be read, of all folders."""
    found: list[str] = []
    for root in index._folders:
        if database := open_for_reading(index.database_of(root)):
            with closing(database):
                found += (path for (path,) in database.execute("SELECT path FROM files WHERE language <> ''"))
    return sorted(found)


def names(index: WorkspaceIndex) -> set[str]:
    return {path.rpartition("/")[2] for path in paths(index)}


def test_only_what_has_changed_is_read_again(
    root: Path, files: MakeFiles, build_index: Build, read_anew: list[str]
) -> None:
    files({"a.py": "a = 1\n", "b.py": "b = 1\n", "c.md": "c\n"})
    build_index()
    assert read_anew == ["a = 1", "b = 1"]
    read_anew.clear()
    build_index()
    assert read_anew == []
    files({"b.py": "b = 22\n"})
    # The same contents with another time, as after a switch of branches there and back.
    os.utime(root / "a.py", ns=(1, 1))
    build_index()
    assert read_anew == ["b = 22"]
    read_anew.clear()
    build_index()
    assert read_anew == []


def test_files_that_went_are_forgotten(root: Path, files: MakeFiles, build_index: Build, index: WorkspaceIndex) -> None:
    files({"a.py": "", "sub/b.py": "", "sub/c.py": ""})
    build_index()
    (root / "a.py").unlink()
    (root / "sub" / "b.py").unlink()
    build_index()
    assert names(index) == {"c.py"}


def test_an_order_for_some_files_leaves_the_others_alone(
    root: Path, files: MakeFiles, build_index: Build, index: WorkspaceIndex, read_anew: list[str]
) -> None:
    files({"a.py": "a = 1\n", "sub/b.py": "b = 1\n", "subway.py": "s = 1\n", "gone/d.py": ""})
    build_index()
    read_anew.clear()
    files({"a.py": "a = 22\n", "sub/c.py": "c = 1\n", "subway.py": "s = 22\n"})
    (root / "sub" / "b.py").unlink()
    (root / "gone" / "d.py").unlink()
    build_index(Order(paths=("sub", "gone")))
    assert names(index) == {"a.py", "c.py", "subway.py"}
    assert read_anew == ["c = 1"]


def test_what_cannot_be_read_is_known_and_empty(
    files: MakeFiles, root: Path, build_index: Build, index: WorkspaceIndex, read_anew: list[str]
) -> None:
    files({"large.py": "x = 1\n" * 200_000, "min.js": "a=1;" * 1000, "a.py": "a = 1\n"})
    (root / "binary.py").write_bytes(b"a = 1\0")
    (root / "latin1.py").write_bytes(b"a = '\xe9'")
    build_index()
    assert names(index) == {"a.py"}
    assert read_anew == ["a = 1"]


def test_secrets_and_what_git_ignores_are_never_opened(
    files: MakeFiles, build_index: Build, index: WorkspaceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    files({".gitignore": "gen.py\n", "gen.py": "", "id_rsa.py": "", "own.py": "", ".ssh/a.py": "", "a.py": ""})
    opened: list[str] = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path.name) or read_bytes(path))
    build_index(Order(exclude=("own.py",)))
    assert opened == ["a.py"]
    assert names(index) == {"a.py"}


def test_what_is_excluded_later_is_taken_out(files: MakeFiles, build_index: Build, index: WorkspaceIndex) -> None:
    files({"a.py": "", "b.py": ""})
    build_index()
    build_index(Order(exclude=("b.py",)))
    assert names(index) == {"a.py"}


def test_a_folder_of_too_many_files_is_indexed_in_part(
    files: MakeFiles, build_index: Build, index: WorkspaceIndex
) -> None:
    files({f"{n}.py": "" for n in range(9)})
    build_index(Order(max_files=4))
    assert paths(index) == ["0.py", "1.py", "2.py", "3.py"]
    build_index(Order(max_files=6, paths=("8.py", "7.py", "6.py")))
    assert len(paths(index)) == 6


def test_no_files_means_no_index(
    root: Path, files: MakeFiles, build_index: Build, index: WorkspaceIndex, tmp_path: Path
) -> None:
    files({"a.py": ""})
    build_index(Order(max_files=0))
    assert not (tmp_path / "cache").exists()
    build_index()
    index.set_roots([root], ["b.py"])
    build_index()
    build_index(Order(max_files=0))
    assert databases_beside(index.database_of(root)) == []
    assert paths(index) == []


def test_imports_follow_files_that_come_and_go(
    root: Path, files: MakeFiles, build_index: Build, index: WorkspaceIndex
) -> None:
    files({"a.py": "import b\n"})
    build_index()
    assert [found.target for found in index.imports_of(root / "a.py")] == [None]
    files({"b.py": "x = 1\n"})
    build_index(Order(paths=("b.py",)))
    assert [found.target for found in index.imports_of(root / "a.py")] == [root / "b.py"]
    (root / "b.py").unlink()
    build_index(Order(paths=("b.py",)))
    assert [found.target for found in index.imports_of(root / "a.py")] == [None]


def test_a_build_that_was_stopped_is_gone_on_with(
    root: Path, files: MakeFiles, index: WorkspaceIndex, read_anew: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files({f"{n}.py": f"x = {n}\n" for n in range(5)})
    monkeypatch.setattr(builder, "_TRANSACTION_S", -1.0)

    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(root, index.database_of(root), Order(), stop)
    assert len(paths(index)) == 2
    read_anew.clear()
    steps: list[tuple[int, int]] = []
    build(root, index.database_of(root), Order(), lambda *step: steps.append(step))
    assert read_anew == ["x = 2", "x = 3", "x = 4"]
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_imports_are_found_though_a_builder_was_stopped_before_it_came_to_them(
    root: Path, files: MakeFiles, build_index: Build, index: WorkspaceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_args: object) -> None:
        raise KeyboardInterrupt

    for text in ("import b\n", "import b  # changed\n"):
        files({"a.py": text, "b.py": ""})
        with monkeypatch.context() as stopped:
            stopped.setattr(Writer, "resolve_imports", stop)
            with pytest.raises(KeyboardInterrupt):
                build_index()
        build_index(Order(paths=("b.py",)))
        assert [found.target for found in index.imports_of(root / "a.py")] == [root / "b.py"]


def test_what_is_missing_is_added_though_only_one_file_has_changed(
    root: Path, files: MakeFiles, build_index: Build, index: WorkspaceIndex
) -> None:
    files({"a.py": "", "b.py": ""})
    build_index(Order(paths=("a.py",)))
    assert names(index) == {"a.py", "b.py"}
    delete(index.database_of(root))
    build_index(Order(paths=("a.py",)))
    assert names(index) == {"a.py", "b.py"}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there every name is text")
def test_a_name_that_is_no_text_is_passed_over(
    root: Path, files: MakeFiles, build_index: Build, index: WorkspaceIndex
) -> None:
    files({"a.py": "", "sub/b.py": ""})
    for name in (b"caf\xe9.py", b"sub/caf\xe9/c.py"):
        path = root / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("", encoding="utf-8")
    build_index()
    assert names(index) == {"a.py", "b.py"}
    build_index(Order(paths=(os.fsdecode(b"caf\xe9.py"), os.fsdecode(b"sub/caf\xe9"))))
    assert names(index) == {"a.py", "b.py"}


def test_a_file_that_cannot_be_understood_does_not_keep_the_others_out(
    files: MakeFiles, build_index: Build, index: WorkspaceIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    files({"a.py": "a = 1\n", "bad.py": "bad = 1\n", "c.py": "c = 1\n"})
    facts = builder.facts

    def fail(snapshot: Snapshot) -> FileFacts:
        if "bad" in snapshot.text:
            raise RecursionError
        return facts(snapshot)

    monkeypatch.setattr(builder, "facts", fail)
    build_index()
    assert set(index.definitions(["a", "bad", "c"])) == {"a", "c"}


@pytest.mark.parametrize("place", [r"./\u0000", r"./\ud800", "./latin1", "./tsconfig.json", r"./\\\\host\\x"])
def test_nothing_that_a_configuration_says_keeps_the_files_out(
    place: str, root: Path, files: MakeFiles, build_index: Build, index: WorkspaceIndex
) -> None:
    files({"tsconfig.json": f'{{"extends": "{place}"}}', "a.ts": "import 'b'\n"})
    (root / "latin1.json").write_bytes(b"\xe9")
    build_index()
    assert names(index) == {"a.ts"}


TS_CONFIG = '{"compilerOptions": {"paths": {"@/*": ["FOLDER/*"]}}}'


@pytest.mark.parametrize("paths", [None, ("web/tsconfig.json",), ("web/tsconfig.json", "none.ts")])
def test_all_imports_are_found_anew_when_a_file_changes_that_says_what_they_mean(
    paths: tuple[str, ...] | None, root: Path, files: MakeFiles, build_index: Build, index: WorkspaceIndex
) -> None:
    files({"web/src/x.ts": "", "web/library/x.ts": "", "web/a.ts": "import '@/x'\n"})
    found = []
    for folder in ("src", "library"):
        files({"web/tsconfig.json": TS_CONFIG.replace("FOLDER", folder)})
        build_index(Order(paths=paths))
        found += [one.target for one in index.imports_of(root / "web" / "a.ts")]
    (root / "web" / "tsconfig.json").unlink()
    build_index(Order(paths=paths))
    found += [one.target for one in index.imports_of(root / "web" / "a.ts")]
    assert found == [root / "web" / "src" / "x.ts", root / "web" / "library" / "x.ts", None]


def test_imports_are_left_alone_while_nothing_says_otherwise(
    files: MakeFiles, build_index: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    files({"tsconfig.json": TS_CONFIG, "a.ts": "", "b.ts": ""})
    asked: list[object] = []
    monkeypatch.setattr(Writer, "resolve_imports", lambda _writer, _tree, paths: asked.append(paths))
    build_index()
    build_index()
    files({"a.ts": "let a = 1\n"})
    build_index(Order(paths=("a.ts",)))
    build_index()
    assert asked == [None, [], ["a.ts"], []]


def test_the_files_of_an_index_as_imports_see_them(root: Path, files: MakeFiles) -> None:
    files({"go.mod": "module x\n", "a/b.go": "", ".env": "A=1"})
    tree = KnownTree(root, ["a/b.go", "c.go"], Exclusions(root))
    assert tree.has("a/b.go")
    assert not tree.has("go.mod")
    assert tree.read("go.mod") == "module x\n"
    assert [tree.read(path) for path in (".env", "none.mod", "../x")] == [None] * 3
    assert list(tree.named("b.go")) == ["a/b.go"]
    assert list(tree.inside("a")) == ["a/b.go"]
    assert list(tree.inside("")) == ["c.go"]


def start(root: Path, database: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lsp_server.context.index.builder", str(root), str(database)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, encoding="utf-8")


def order(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write(f"{Order().to_json()}\n")
    process.stdin.flush()


def test_a_process_builds_it_and_says_how_far_it_is(root: Path, files: MakeFiles, index: WorkspaceIndex) -> None:
    files({"a.py": "", "b.py": ""})
    with start(root, index.database_of(root)) as process:
        order(process)
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout
        assert process.stdout.read().splitlines()[0] == "0 2"
    assert names(index) == {"a.py", "b.py"}


def test_a_process_that_cannot_write_says_why(root: Path, tmp_path: Path) -> None:
    (tmp_path / "full").write_text("", encoding="utf-8")
    with start(root, tmp_path / "full" / "index.db") as process:
        order(process)
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr
        assert str(tmp_path / "full") in process.stderr.read().splitlines()[-1]


def test_a_process_waits_for_another_and_ends_with_its_input(
    root: Path, files: MakeFiles, index: WorkspaceIndex
) -> None:
    files({"a.py": ""})
    database = index.database_of(root)
    database.parent.mkdir(parents=True)
    with FileLock(str(database.with_name("builder.lock"))), start(root, database) as process:
        order(process)
        if sys.platform != "win32":
            while psutil.Process(process.pid).nice() != 19:
                assert process.poll() is None
        assert process.stdin
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
        assert open_for_reading(database) is None
