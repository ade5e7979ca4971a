from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.port import port
from lsp_server.features.types import FileEdit, find_selection
from lsp_server.inference.backend import ChatRequest
from lsp_server.syntax.snapshot import Snapshot
from tests.support.features import scripted, tools_of

TOTAL = "def total_price(items):\n    return sum(item.price for item in items)\n"
GO = "package shop\n\nfunc TotalPrice(items []Item) int {\n\treturn 0\n}\n"


async def ported(folder: Path, wanted: str, *chats: str, text: str = TOTAL) -> FileEdit:
    selection = find_selection(Snapshot.open(text, "python"), 10, 10, PurePosixPath("shop.py"))
    return await port(selection, folder / "shop.py", wanted, tools_of(*chats))


@pytest.mark.parametrize("wanted", ["Go", "go", " GO "])
async def test_it_goes_into_a_new_file_beside(tmp_path: Path, wanted: str) -> None:
    edit = await ported(tmp_path, wanted, GO)
    assert edit.title == "Write total_price in Go"
    assert edit.path == tmp_path / "shop.go"
    assert edit.creates
    assert edit.edits[0].new_text == GO


async def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "shop.go").touch()
    assert (await ported(tmp_path, "go", GO)).path == tmp_path / "shop_total_price.go"
    (tmp_path / "shop_total_price.go").touch()
    with pytest.raises(RefusedError, match=r"shop\.go is there already"):
        await ported(tmp_path, "go", GO)


async def test_what_cannot_be_used_is_asked_for_once_more(tmp_path: Path) -> None:
    backend = scripted("func (", GO)
    selection = find_selection(Snapshot.open(TOTAL, "python"), 10, 10, PurePosixPath("shop.py"))
    await port(selection, tmp_path / "shop.py", "go", tools_of(backend=backend))
    first, second = (request for request in backend.seen if isinstance(request, ChatRequest))
    assert first.messages[-1].content == "```go\n"
    assert "Write it in Go" in first.messages[-2].content
    assert "no sound Go" in second.messages[-2].content


@pytest.mark.parametrize(
    ("wanted", "answers", "reason"),
    [
        ("python", (), "This is Python already"),
        ("klingon", (), "klingon is not known here"),
        ("sql", (), "sql is not known here"),
        ("", (), "No language is not known here"),
        ("go", ("func (", "func ("), "It is no sound Go"),
        ("go", ("package shop\n", ""), "It is empty"),
        ("go", ("package shop\n", "package shop\n\nfunc Other() {\n}\n"), "totalprice is missing"),
    ],
)
async def test_refusals(tmp_path: Path, wanted: str, answers: tuple[str, ...], reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        await ported(tmp_path, wanted, *answers)


async def test_a_part_of_a_class_needs_only_one_of_its_names(tmp_path: Path) -> None:
    text = "class Shop:\n    def __init__(self):\n        pass\n\n    def total(self):\n        pass\n"
    answer = "class Shop {\n  constructor() {}\n  total() {}\n}\n"
    assert (await ported(tmp_path, "javascript", answer, text=text)).path == tmp_path / "shop.js"
