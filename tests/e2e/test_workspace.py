"""The index of the workspace over stdio: symbols, what is typed, what happens on disk; on the scripted model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls import uris

from tests.e2e.conftest import Connect
from tests.support.editor import Editor, minimal, neovim, vscode
from tests.support.engine import PATIENCE_S
from tests.support.time import until

SHAPES = '''@area("größe 😀")
class Circle: """😀"""; area = 1


def Area(circle): ...
'''


@pytest.fixture
def shapes(root: Path) -> Path:
    path = root / "shapes.py"
    path.write_text(SHAPES, encoding="utf-8")
    return path


def damage(cache: Path) -> None:
    """Write over the one database that is there."""
    (database,) = cache.rglob("index-*.db")
    for path in database.parent.glob("*.db-*"):
        path.unlink()
    database.write_bytes(b"damaged" * 1000)


@pytest.fixture
def no_cache(cache: Path) -> None:
    """The cache folder cannot be written, not even by root."""
    cache.write_text("no folder", encoding="utf-8")


async def symbols(editor: Editor, query: str) -> list[lsp.SymbolInformation]:
    answer = await editor.request(editor.client.workspace_symbol_async(lsp.WorkspaceSymbolParams(query)))
    return list(answer)


async def found(editor: Editor, query: str, *expected: str) -> list[lsp.SymbolInformation]:
    """Wait until exactly these symbols are found."""

    async def poll() -> list[lsp.SymbolInformation]:
        while [symbol.name for symbol in answer] != list(expected):
            await asyncio.sleep(0.01)
            answer[:] = await symbols(editor, query)
        return answer

    answer = await symbols(editor, query)
    try:
        return await asyncio.wait_for(poll(), PATIENCE_S)
    except asyncio.TimeoutError:
        pytest.fail(f"{query} finds {[symbol.name for symbol in answer]}, not {list(expected)}")


def tell(editor: Editor, kind: lsp.FileChangeType, *paths: Path) -> None:
    """Tell what has happened on disk."""
    events = [lsp.FileEvent(path.as_uri(), kind) for path in paths]
    editor.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(events))


def folders(editor: Editor, *, added: tuple[Path, ...] = (), removed: tuple[Path, ...] = ()) -> None:
    """Add and remove workspace folders."""
    event = lsp.WorkspaceFoldersChangeEvent(
        added=[lsp.WorkspaceFolder(path.as_uri(), path.name) for path in added],
        removed=[lsp.WorkspaceFolder(path.as_uri(), path.name) for path in removed],
    )
    editor.client.workspace_did_change_workspace_folders(lsp.DidChangeWorkspaceFoldersParams(event))


@pytest.mark.parametrize("capabilities", [vscode, neovim])
async def test_symbols_stand_at_their_names(capabilities: Any, connect: Connect, shapes: Path) -> None:
    editor = await connect(capabilities=capabilities())
    assert editor.capabilities.workspace_symbol_provider
    field, function = await found(editor, "area", "area", "Area")
    assert (field.kind, function.kind) == (lsp.SymbolKind.Field, lsp.SymbolKind.Function)
    assert field.container_name == "Circle"
    for symbol, place in ((field, SHAPES.index("area = ")), (function, SHAPES.index("Area"))):
        path = uris.to_fs_path(symbol.location.uri)
        assert path
        assert Path(path) == shapes
        editor.texts[symbol.location.uri] = SHAPES
        start, end = (editor.position(symbol.location.uri, at) for at in (place, place + 4))
        assert symbol.location.range == lsp.Range(start, end)


async def test_edits_are_seen_at_once_and_forgotten_if_they_are_not_saved(connect: Connect, shapes: Path) -> None:
    editor = await connect()
    await found(editor, "Circle", "Circle")
    uri, position = editor.open(shapes, SHAPES + "<|>")
    editor.type(uri, position, "\n\ndef unsaved(): ...\n")
    await found(editor, "unsaved", "unsaved")
    editor.close(uri)
    await found(editor, "unsaved")
    await found(editor, "Circle", "Circle")


async def test_what_has_no_file_is_in_no_index(connect: Connect, root: Path) -> None:
    editor = await connect()
    editor.open("untitled:Untitled-1", "def unnamed(): ...<|>")
    editor.open(root / "named.py", "def named(): ...<|>")
    await found(editor, "named", "named")


async def test_news_of_files(connect: Connect, root: Path, shapes: Path) -> None:
    editor = await connect()
    await until(lambda: lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES in editor.registered)
    await found(editor, "Circle", "Circle")
    (root / "new.py").write_text("def fresh(): ...\n", encoding="utf-8")
    tell(editor, lsp.FileChangeType.Created, root / "new.py")
    await found(editor, "fresh", "fresh")
    (root / "new.py").write_text("def freshly_made(): ...\n", encoding="utf-8")
    tell(editor, lsp.FileChangeType.Changed, root / "new.py")
    await found(editor, "fresh", "freshly_made")
    (root / "new.py").unlink()
    (root / "shapes.py").rename(root / "moved.py")
    tell(editor, lsp.FileChangeType.Deleted, root / "new.py", shapes)
    tell(editor, lsp.FileChangeType.Created, root / "moved.py")
    await found(editor, "fresh")
    (circle,) = await found(editor, "Circle", "Circle")
    assert circle.location.uri.endswith("moved.py")


async def test_without_news_saving_is_the_time_to_look_around(connect: Connect, root: Path, shapes: Path) -> None:
    editor = await connect(capabilities=minimal())
    await found(editor, "Circle", "Circle")
    (root / "pulled.py").write_text("def pulled(): ...\n", encoding="utf-8")
    uri, position = editor.open(root / "mine.py", "def mine(): ...\n<|>")
    editor.type(uri, position, "def saved(): ...\n")
    editor.save(uri)
    await found(editor, "pulled", "pulled")
    editor.close(uri)
    await found(editor, "saved", "saved")
    assert lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES not in editor.registered


async def test_folders_come_and_go(connect: Connect, root: Path, shapes: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.py").write_text("def elsewhere(): ...\n", encoding="utf-8")
    editor = await connect()
    await found(editor, "Circle", "Circle")
    folders(editor, added=(other,))
    await found(editor, "elsewhere", "elsewhere")
    folders(editor, removed=(root,))
    await found(editor, "Circle")
    folders(editor, added=(root,), removed=(other,))
    await found(editor, "Circle", "Circle")
    await found(editor, "elsewhere")


async def test_the_next_window_has_it_at_once_and_a_damaged_one_is_made_anew(
    connect: Connect, shapes: Path, cache: Path
) -> None:
    editor = await connect()
    await found(editor, "Circle", "Circle")
    second = await connect()
    await found(second, "Circle", "Circle")
    damage(cache)
    third = await connect()
    await found(third, "Circle", "Circle")
    assert third.messages() == []


async def test_secrets_and_what_git_ignores_are_left_out(connect: Connect, root: Path, shapes: Path) -> None:
    texts = {".gitignore": "gen/\n", "gen/a.py": "def hidden_a(): ...\n", "id_rsa.py": "def hidden_b(): ...\n"}
    texts |= {"node_modules/x/i.js": "function hidden_c() {}\n", "own.py": "def hidden_d(): ...\n"}
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    editor = await connect(settings={"index": {"exclude": ["own.py"]}})
    await found(editor, "Circle", "Circle")
    for name in ("gen/a.py", "id_rsa.py", "own.py"):
        editor.open(root / name, texts[name] + "<|>")
    editor.open(root / "last.py", "def last(): ...<|>")
    await found(editor, "last", "last")
    await found(editor, "hidden")


async def test_settings_take_effect_at_once(connect: Connect, root: Path, shapes: Path, cache: Path) -> None:
    editor = await connect(settings={})

    def configure(**index: Any) -> None:
        editor.client.set_configuration({"shardlight": {"index": index}})
        editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({}))

    await found(editor, "Circle", "Circle")
    configure(exclude=["shapes.py"])
    await found(editor, "Circle")
    configure()
    await found(editor, "Circle", "Circle")
    configure(enabled=False)
    await found(editor, "Circle")
    await until(lambda: not list(cache.rglob("*.db")))
    editor.open(root / "open.py", "def still_open(): ...<|>")
    await found(editor, "still", "still_open")


@pytest.mark.usefixtures("no_cache")
async def test_without_a_cache_folder_everything_else_works(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]})
    await until(lambda: any("cannot be indexed" in message.message for message in editor.client.log_messages))
    uri, position = editor.open(root / "a.py", "def opened(): ...\nx = <|>")
    assert await editor.complete(uri, position)
    await found(editor, "opened", "opened")
    assert editor.messages() == []
