"""The tables of docs/models.md are worked out, and stand between their marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.models.catalog import Catalog
from tests.support.editor import REPOSITORY
from tools.docs import models


def test_each_model_of_the_catalog_has_its_row() -> None:
    _, _, *rows = models.catalog_table()

    assert [row.split("`")[1] for row in rows] == [model.name for model in Catalog.load()]
    (forbidden,) = (row for row in rows if "qwen2.5-coder-3b" in row)
    assert "**Qwen Research" in forbidden


def test_only_what_is_between_the_marks_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "PARTS", {"a": lambda: iter(["new", "lines"])})
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- begin a -->\nold\n<!-- end a -->\n<!-- begin b -->\n<!-- end b -->\n", encoding="utf-8"
    )

    filled = models.filled(page)

    assert filled == "before\n<!-- begin a -->\nnew\nlines\n<!-- end a -->\n<!-- begin b -->\n<!-- end b -->\n"


def test_the_page_has_a_place_for_each_table() -> None:
    page = (REPOSITORY / "docs/models.md").read_text(encoding="utf-8")

    assert all(f"<!-- begin {name} -->" in page and f"<!-- end {name} -->" in page for name in models.PARTS)
